package s3

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// putParts is put by a multipart upload. An upload that fails is aborted, also
// when ctx has ended.
func (d *Driver) putParts(ctx context.Context, key string, e *encoded, c condition) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if d.parts.Store(true); d.sweepUploads(ctx, key) != nil && ctx.Err() != nil { // who may not list them may still write
		return "", ctx.Err()
	}
	// An upload that was begun must be known, to be aborted: its beginning is not
	// cancelled.
	begin, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.o.Timeout)
	defer cancel()
	id, err := d.beginParts(begin, key, e)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return "", err
	}
	etag, err := d.uploadParts(ctx, key, id, e, c)
	if err != nil {
		d.cleanup(ctx, func(ctx context.Context) { d.abort(ctx, key, id) })
	}
	return etag, err
}

func (d *Driver) beginParts(ctx context.Context, key string, e *encoded) (string, error) {
	in := &s3.CreateMultipartUploadInput{
		Bucket: &d.bucket, Key: &key, ContentType: &contentType, Metadata: e.meta,
		StorageClass: d.o.storageClass(), ServerSideEncryption: d.o.encryption(),
	}
	if e.tags != "" {
		in.Tagging = &e.tags
	}
	if d.o.KMSKey != "" {
		in.SSEKMSKeyId = &d.o.KMSKey
	}
	var id string
	err := d.do(ctx, nil, "write", key, func(ctx context.Context) error {
		out, err := d.client.CreateMultipartUpload(ctx, in)
		if err == nil {
			id = aws.ToString(out.UploadId)
		}
		return err
	})
	return id, err
}

// uploadParts uploads the parts, several at once, and completes the upload.
func (d *Driver) uploadParts(ctx context.Context, key, id string, e *encoded, c condition) (string, error) {
	n := int((e.size + d.o.PartSize - 1) / d.o.PartSize)
	parts := make([]types.CompletedPart, n)
	errs := make([]error, n)
	partCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for i := range parts {
		from := int64(i) * d.o.PartSize
		body := e.body[from:min(from+d.o.PartSize, e.size)]
		wg.Go(func() {
			if parts[i], errs[i] = d.uploadPart(partCtx, key, id, int32(i+1), body); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	if err := firstCause(ctx, errs); err != nil {
		return "", err
	}
	return d.complete(ctx, key, id, parts, c)
}

// firstCause returns the error that ended all others.
func firstCause(ctx context.Context, errs []error) error {
	var first error
	for _, err := range errs {
		if err != nil && (first == nil || first == context.Canceled) {
			first = err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return first
}

func (d *Driver) uploadPart(ctx context.Context, key, id string, n int32, body []byte) (types.CompletedPart, error) {
	part := types.CompletedPart{PartNumber: &n}
	err := d.do(ctx, nil, "write a part of", key, func(ctx context.Context) error {
		out, err := d.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &d.bucket, Key: &key, UploadId: &id, PartNumber: &n,
			Body: bytes.NewReader(body), ContentLength: aws.Int64(int64(len(body))),
		})
		if err == nil {
			part.ETag = out.ETag
			part.ChecksumCRC32, part.ChecksumCRC64NVME = out.ChecksumCRC32, out.ChecksumCRC64NVME
		}
		return err
	})
	return part, err
}

func (d *Driver) complete(ctx context.Context, key, id string, parts []types.CompletedPart, c condition) (string, error) {
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &d.bucket, Key: &key, UploadId: &id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	}
	in.IfNoneMatch, in.IfMatch = c.headers()
	return d.upload(ctx, key, func(ctx context.Context) (*string, error) {
		out, err := d.client.CompleteMultipartUpload(ctx, in)
		if err != nil {
			return nil, err
		}
		return out.ETag, nil
	})
}

func (d *Driver) abort(ctx context.Context, key, id string) {
	_ = d.do(ctx, nil, "abort the upload of", key, func(ctx context.Context) error {
		_, err := d.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &d.bucket, Key: &key, UploadId: &id})
		return err
	})
}

// orphanAge is how old an upload of parts is that nobody can still be making.
const orphanAge = time.Hour

// sweepUploads aborts the uploads below a prefix that were begun by a process
// that is no more. Only keys that records have are looked at.
func (d *Driver) sweepUploads(ctx context.Context, prefix string) error {
	var marker, idMarker *string
	for {
		var out *s3.ListMultipartUploadsOutput
		err := d.do(ctx, nil, "list the uploads to", "", func(ctx context.Context) (err error) {
			out, err = d.client.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{
				Bucket: &d.bucket, Prefix: &prefix, KeyMarker: marker, UploadIdMarker: idMarker,
			})
			return err
		})
		if err != nil {
			return err
		}
		for _, u := range out.Uploads {
			key := aws.ToString(u.Key)
			if _, ours := d.idOf(key); ours && time.Since(aws.ToTime(u.Initiated)) > d.orphanAge {
				d.abort(ctx, key, aws.ToString(u.UploadId))
			}
		}
		if !aws.ToBool(out.IsTruncated) || len(out.Uploads) == 0 {
			return nil
		}
		marker, idMarker = out.NextKeyMarker, out.NextUploadIdMarker
	}
}
