// Package dynamotest gives tests DynamoDB stores on Amazon's DynamoDB Local. On a machine
// that cannot run it, the tests that ask for one are skipped and say what is missing.
package dynamotest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/runtime/dynamo/dynamolocal"
)

// Options reach DynamoDB Local with an access key of the test's own: it sees no other test's
// tables. Time-outs are for a busy machine.
func Options(t testing.TB) dynamo.Options {
	t.Helper()
	endpoint, err := dynamolocal.Endpoint()
	if missing, ok := errors.AsType[*dynamolocal.MissingError](err); ok {
		t.Skipf("not run on DynamoDB Local: %v", missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	var key [10]byte
	_, _ = rand.Read(key[:])
	return dynamo.Options{
		Region:         "us-east-1",
		Credentials:    dynamo.Keys(aws.Credentials{AccessKeyID: hex.EncodeToString(key[:]), SecretAccessKey: "secret"}),
		Endpoint:       endpoint,
		AttemptTimeout: 30 * time.Second,
	}
}

// Open returns a store with the options, whose tables it creates, and deletes after the test.
func Open(t testing.TB, o dynamo.Options) *dynamo.Store {
	t.Helper()
	s, err := dynamo.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := s.DeleteTables(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}
