package dynamo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// client sends requests to DynamoDB. Of the SDK it takes the types, their JSON, the errors, the
// signer and the endpoints, but not its client: the forty layers through which that hands each
// request cost a function several times what building, signing and reading one takes. What
// they are for is here or not needed: tries and time-outs are the store's own.
type client struct {
	http        dynamodb.HTTPClient
	endpoint    url.URL
	region      string
	credentials aws.CredentialsProvider
	signer      *v4.Signer
	protocol    *awsjson.Protocol
}

const idleConnections = 64

// newClient builds a client by hand: the SDK's loader of configurations would cost a Lambda
// function a fifth of its size and most of its start.
func newClient(o Options) (*client, error) {
	c := &client{
		http: o.HTTPClient, region: o.Region, credentials: o.Credentials,
		signer: v4.NewSigner(), protocol: awsjson.New10(schemas.DynamoDB_20120810),
	}
	if c.http == nil {
		// The projector writes more steps beside each other than the SDK keeps connections.
		c.http = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost = idleConnections
		})
	}
	endpoint, err := endpointOf(o)
	if err != nil {
		return nil, fmt.Errorf("dynamo: the endpoint: %w", err)
	}
	c.endpoint = *endpoint
	if c.endpoint.Path == "" {
		c.endpoint.Path = "/"
	}
	return c, nil
}

func endpointOf(o Options) (*url.URL, error) {
	if o.Endpoint == "" {
		e, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), dynamodb.EndpointParameters{Region: &o.Region}.WithDefaults())
		return &e.URI, err
	}
	u, err := url.Parse(o.Endpoint)
	if err == nil && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		err = errors.New("it is no address of http or https")
	}
	return u, err
}

const (
	maxAnswer   = 128 << 20 // more than any answer has: DynamoDB cuts them at 16 MB of data
	largeAnswer = 4 << 20   // room for more is made as it comes
)

// exchange sends a request once and returns the body of its answer. The error is one of the SDK's
// where DynamoDB refused the request.
func (c *client) exchange(ctx context.Context, operation *smithy.OperationSchema, in smithy.Serializable) ([]byte, error) {
	request, err := c.request(ctx, operation, in)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var room bytes.Buffer
	if n := response.ContentLength; n > 0 && n < largeAnswer {
		room.Grow(int(n) + bytes.MinRead) // room to see the end, too
	}
	if _, err := room.ReadFrom(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return nil, err
	}
	body := room.Bytes()
	if sum := response.Header.Get("X-Amz-Crc32"); sum != "" && sum != strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10) {
		return nil, errChecksum
	}
	if response.StatusCode/100 != 2 {
		return nil, c.refusal(ctx, operation, response, body)
	}
	return body, nil
}

var errChecksum = errors.New("the answer was damaged on its way: its checksum is another")

func (c *client) request(ctx context.Context, operation *smithy.OperationSchema, in smithy.Serializable) (*http.Request, error) {
	target := c.endpoint
	r := &smithyhttp.Request{Request: &http.Request{URL: &target, Host: target.Host, Header: make(http.Header, 8)}}
	if err := c.protocol.SerializeRequest(ctx, operation, in, r); err != nil {
		return nil, err
	}
	body, ok := r.GetStream().(*bytes.Reader)
	if !ok {
		return nil, fmt.Errorf("a request's body is a %T", r.GetStream())
	}
	hash := sha256.New()
	if _, err := body.WriteTo(hash); err != nil {
		return nil, err
	}
	rewound := func() (io.ReadCloser, error) {
		again := *body
		_, err := again.Seek(0, io.SeekStart)
		return io.NopCloser(&again), err
	}
	var err error
	if r.Body, err = rewound(); err != nil {
		return nil, err
	}
	// A connection that turns out to be closed before anything was written is replaced by another.
	r.GetBody, r.ContentLength = rewound, body.Size()
	// The checksum is of the answer as it is sent, which must not be one that was compressed.
	r.Header["Accept-Encoding"] = []string{"identity"}
	r.Header["User-Agent"] = []string{"esgen"}
	keys, err := c.credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	err = c.signer.SignHTTP(ctx, keys, r.Request, hex.EncodeToString(hash.Sum(nil)), "dynamodb", c.region, time.Now())
	return r.WithContext(ctx), err
}

// refusal is the error that an answer tells.
func (c *client) refusal(ctx context.Context, operation *smithy.OperationSchema, response *http.Response, body []byte) error {
	response.Body = io.NopCloser(bytes.NewReader(body))
	told := &smithyhttp.Response{Response: response}
	return &awshttp.ResponseError{
		ResponseError: &smithyhttp.ResponseError{
			Response: told, Err: c.protocol.DeserializeResponse(ctx, operation, dynamodb.TypeRegistry, told, nil),
		},
		RequestID: response.Header.Get("X-Amzn-Requestid"),
	}
}

// read reads the body of an answer.
func (c *client) read(operation *smithy.OperationSchema, body []byte, out smithy.Deserializable) error {
	told := &smithyhttp.Response{Response: &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body))}}
	return c.protocol.DeserializeResponse(context.Background(), operation, dynamodb.TypeRegistry, told, out)
}

// call sends a request once and reads its answer.
func call[T any, P interface {
	*T
	smithy.Deserializable
}](ctx context.Context, c *client, operation *smithy.OperationSchema, in smithy.Serializable) (P, error) {
	body, err := c.exchange(ctx, operation, in)
	if err != nil {
		return nil, err
	}
	out := P(new(T))
	return out, c.read(operation, body, out)
}
