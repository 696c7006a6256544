package main

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/esgen/esgen/runtime/dynamo"
)

// cannedWire answers each request in the same way, without a network.
type cannedWire struct {
	header http.Header
	answer []byte
	last   []byte // the request's body, if keep is set
	keep   bool
}

func newCannedWire(answer []byte) *cannedWire {
	return &cannedWire{header: dynamoHeader(answer), answer: answer}
}

// dynamoHeader is what the service says of an answer; the SDK checks the sum.
func dynamoHeader(answer []byte) http.Header {
	h := http.Header{}
	h.Set("Content-Type", "application/x-amz-json-1.0")
	h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(answer)), 10))
	return h
}

func (w *cannedWire) Do(r *http.Request) (*http.Response, error) {
	if w.keep {
		var err error
		if w.last, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: w.header, ContentLength: int64(len(w.answer)),
		Body: io.NopCloser(bytes.NewReader(w.answer)), Request: r,
	}, nil
}

var benchKeys = dynamo.Keys(aws.Credentials{AccessKeyID: "bench", SecretAccessKey: "secret"})

func plainClient(wire dynamodb.HTTPClient) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{Region: benchRegion, Credentials: benchKeys, HTTPClient: wire})
}

func storeOn(wire dynamodb.HTTPClient, tables dynamo.Tables) (*dynamo.Store, error) {
	s, err := dynamo.New(dynamo.Options{Region: benchRegion, Credentials: benchKeys, HTTPClient: wire, Tables: tables})
	if err != nil {
		return nil, fmt.Errorf("a store without a network: %w", err)
	}
	return s, nil
}

const benchRegion = "us-east-1"
