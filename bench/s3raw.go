package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

// s3Parallel is how many requests every side has under way: our default.
const s3Parallel = 64

// rawS3 is the SDK alone, as a careful user sets it up for so many requests:
// connections are kept, and what is written must not be there yet.
func rawS3(endpoint string) *awss3.Client {
	pool := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, s3Parallel
	})
	return awss3.New(awss3.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint, UsePathStyle: true, HTTPClient: pool,
		Credentials:                aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider("testkey", "testsecret", "")),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
}

// rawCreate uploads the people, one object each.
func (r *s3Run) rawCreate(prefix string, people []personRow) error {
	return inParallel(len(people), func(i int) error {
		body, err := json.Marshal(&people[i])
		if err != nil {
			return err
		}
		_, err = r.raw.PutObject(r.b.ctx, &awss3.PutObjectInput{
			Bucket: aws.String("bench"), Key: aws.String(prefix + people[i].ID + ".json"), Body: bytes.NewReader(body),
			IfNoneMatch: aws.String("*"), ContentType: aws.String("application/json"),
		})
		return err
	})
}

// rawRead reads the objects into structs.
func (r *s3Run) rawRead(prefix string, ids []string) error {
	people := make([]personRow, len(ids))
	return inParallel(len(ids), func(i int) error {
		out, err := r.raw.GetObject(r.b.ctx, &awss3.GetObjectInput{Bucket: aws.String("bench"), Key: aws.String(prefix + ids[i] + ".json")})
		if err != nil {
			return err
		}
		defer out.Body.Close()
		body, err := io.ReadAll(out.Body)
		if err == nil {
			err = json.Unmarshal(body, &people[i])
		}
		return err
	})
}

// inParallel calls f for 0 to n-1, s3Parallel at once, and returns the first error.
func inParallel(n int, f func(i int) error) error {
	work := make(chan int)
	errs := make(chan error, s3Parallel)
	var wg sync.WaitGroup
	for range s3Parallel {
		wg.Go(func() {
			for i := range work {
				if err := f(i); err != nil {
					select {
					case errs <- err:
					default:
					}
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// s5cmdVersion is the release of s5cmd that is built.
const s5cmdVersion = "v2.3.0"

// s5cmd builds the command from its module, once for each machine, and returns its path.
func (b *bench) s5cmd() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "dataknobs-bench", "s5cmd-"+s5cmdVersion)
	path := filepath.Join(dir, "s5cmd")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	for name, text := range map[string]string{
		"go.mod":   "module s5cmd\n\ngo 1.24\n\nrequire github.com/peak/s5cmd/v2 " + s5cmdVersion + "\n",
		"tools.go": "//go:build tools\n\npackage tools\n\nimport _ \"github.com/peak/s5cmd/v2\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	for _, args := range [][]string{{"mod", "tidy"}, {"build", "-o", path, "github.com/peak/s5cmd/v2"}} {
		if err := b.sh(dir, "go", args...); err != nil {
			return "", err
		}
	}
	return path, nil
}

// boto3 completes the Python environment.
func (b *bench) boto3() error {
	if exec.CommandContext(b.ctx, b.python, "-c", "import boto3").Run() == nil {
		return nil
	}
	return b.sh(b.dir, b.python, "-m", "pip", "install", "-q", "dataknobs-data[s3]=="+pythonVersion)
}
