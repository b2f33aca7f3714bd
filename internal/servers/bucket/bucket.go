// Package bucket makes buckets on servers of S3's kind, for tests and
// measurements.
package bucket

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A Server is where buckets are.
type Server struct{ Endpoint, Key, Secret string }

// Client returns a plain client of the server.
func (s Server) Client() *s3.Client {
	return s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &s.Endpoint, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.Key, s.Secret, ""),
	})
}

// Make makes a bucket, which must not be there.
func (s Server) Make(ctx context.Context, name string) error {
	_, err := s.Client().CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	return err
}

// URL names a store in a bucket at a prefix.
func (s Server) URL(name, prefix string) string {
	return fmt.Sprintf("s3://%s/%s?endpoint=%s&region=us-east-1&access_key=%s&secret_key=%s", name, prefix, s.Endpoint, s.Key, s.Secret)
}
