package s3_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/esgen/esgen/esgen/internal/cloud/s3"
)

func start(t *testing.T, o s3.Options, buckets ...s3.BucketConfig) (*s3.Service, *client.Client) {
	t.Helper()
	s := s3.New(o)
	for _, b := range buckets {
		if err := s.CreateBucket(b); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, client.New(client.Options{
		Region: "eu-west-1", BaseEndpoint: &server.URL, UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "secret"}, nil
		}),
	})
}

func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestAClientPutsGetsListsAndDeletes(t *testing.T) {
	s, c := start(t, s3.Options{}, s3.BucketConfig{Name: "given-up"})
	bucket := aws.String("given-up")
	keys := []string{"aws/lambda/1/shardId-0/2026/01/02/2026-01-02T03.04.05-x", "aws/lambda/1/shardId-0/a b+c%d/é&<>", "aws/other", "z"}
	for i, key := range keys {
		_, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(strings.Repeat("x", i*1000)), ContentType: aws.String("application/json")})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, key := range keys {
		got, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: bucket, Key: &key})
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(got.Body) // the client compares the checksum
		if err != nil || len(body) != i*1000 || *got.ContentType != "application/json" {
			t.Errorf("%s: %d bytes, %v", key, len(body), err)
		}
		direct, err := s.Get("given-up", key)
		if err != nil || !bytes.Equal(direct, body) {
			t.Errorf("%s: %v", key, err)
		}
	}
	var listed []string
	pages := client.NewListObjectsV2Paginator(c, &client.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("aws/"), MaxKeys: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Contents) != 1 {
			t.Fatalf("a page of %d", len(page.Contents))
		}
		listed = append(listed, *page.Contents[0].Key)
	}
	if !slices.Equal(listed, keys[:3]) {
		t.Errorf("listed: %v", listed)
	}
	folders, err := c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("aws/"), Delimiter: aws.String("/")})
	if err != nil || len(folders.CommonPrefixes) != 1 || *folders.CommonPrefixes[0].Prefix != "aws/lambda/" || len(folders.Contents) != 1 {
		t.Errorf("with a delimiter: %+v %v", folders, err)
	}
	for range 2 { // deleting what is gone is no error
		if _, err := c.DeleteObject(t.Context(), &client.DeleteObjectInput{Bucket: bucket, Key: &keys[0]}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = c.GetObject(t.Context(), &client.GetObjectInput{Bucket: bucket, Key: &keys[0]})
	if _, ok := errors.AsType[*types.NoSuchKey](err); !ok {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	s, c := start(t, s3.Options{}, s3.BucketConfig{Name: "given-up"})
	put := func(change func(in *client.PutObjectInput)) error {
		in := &client.PutObjectInput{Bucket: aws.String("given-up"), Key: aws.String("k"), Body: strings.NewReader("x")}
		change(in)
		_, err := c.PutObject(t.Context(), in)
		return err
	}
	for name, tc := range map[string]struct {
		err  error
		code string
	}{
		"no bucket":  {put(func(in *client.PutObjectInput) { in.Bucket = aws.String("none") }), "NoSuchBucket"},
		"long key":   {put(func(in *client.PutObjectInput) { in.Key = aws.String(strings.Repeat("k", 1025)) }), "KeyTooLongError"},
		"metadata":   {put(func(in *client.PutObjectInput) { in.Metadata = map[string]string{"a": "b"} }), "NotImplemented"},
		"encryption": {put(func(in *client.PutObjectInput) { in.ServerSideEncryption = "aws:kms" }), "NotImplemented"},
		"checksum":   {put(func(in *client.PutObjectInput) { in.ChecksumCRC32 = aws.String("AAAAAA==") }), "BadDigest"},
		"version": {func() error {
			_, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: aws.String("given-up"), Key: aws.String("k"), VersionId: aws.String("1")})
			return err
		}(), "NotImplemented"},
		"list": {func() error {
			_, err := c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: aws.String("none")})
			return err
		}(), "NoSuchBucket"},
		"token": {func() error {
			_, err := c.ListObjectsV2(t.Context(), &client.ListObjectsV2Input{Bucket: aws.String("given-up"), ContinuationToken: aws.String("%")})
			return err
		}(), "InvalidArgument"},
		"several": {func() error {
			_, err := c.DeleteObjects(t.Context(), &client.DeleteObjectsInput{Bucket: aws.String("given-up"), Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("k")}}}})
			return err
		}(), "NotImplemented"},
		"operation": {func() error {
			_, err := c.CreateBucket(t.Context(), &client.CreateBucketInput{Bucket: aws.String("other")})
			return err
		}(), "NotImplemented"},
	} {
		if got := code(tc.err); got != tc.code {
			t.Errorf("%s: %s, not %s", name, got, tc.code)
		}
	}
	if objects, err := s.List("given-up", ""); err != nil || len(objects) != 0 {
		t.Errorf("put all the same: %v %v", objects, err)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if w.Code != http.StatusNotImplemented {
		t.Errorf("GET of nothing: %d", w.Code)
	}
	for _, b := range []s3.BucketConfig{{Name: ""}, {Name: "A"}, {Name: "a..b"}, {Name: "given-up"}, {Name: "abc", ExpireAfter: time.Hour}} {
		if err := s.CreateBucket(b); err == nil {
			t.Errorf("taken: %+v", b)
		}
	}
}

func TestObjectsExpire(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s, _ := start(t, s3.Options{Now: func() time.Time { return now }}, s3.BucketConfig{Name: "bucket", ExpireAfter: 24 * time.Hour})
	if err := s.Put("bucket", "k", []byte("x")); err != nil {
		t.Fatal(err)
	}
	now = now.Add(24*time.Hour - 1)
	if _, err := s.Get("bucket", "k"); err != nil {
		t.Error(err)
	}
	now = now.Add(1)
	if objects, err := s.List("bucket", ""); err != nil || len(objects) != 0 {
		t.Error(objects, err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s, _ := start(t, s3.Options{MaxBytes: 10_000}, s3.BucketConfig{Name: "bucket"})
	if err := s.Put("bucket", "k", make([]byte, 9000)); err != nil {
		t.Fatal(err)
	}
	if err := s.Put("bucket", "k", make([]byte, 11000)); err == nil {
		t.Error("more than there is room for")
	}
	if body, err := s.Get("bucket", "k"); err != nil || len(body) != 9000 {
		t.Errorf("what was there: %d bytes, %v", len(body), err)
	}
	if err := s.Put("bucket", "k", make([]byte, 9500)); err != nil {
		t.Errorf("an object takes the place of another: %v", err)
	}
	if err := s.Delete("bucket", "k"); err != nil {
		t.Fatal(err)
	}
	if err := s.Put("bucket", "l", make([]byte, 9500)); err != nil {
		t.Error(err)
	}
}
