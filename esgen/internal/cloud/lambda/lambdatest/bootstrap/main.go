// Command bootstrap is a function for tests that speaks the Lambda Runtime API without any
// library. Its payload is an object whose member "do" says what it does; an HTTP request has that
// object as its body. It tells how many records a batch has, and lets CloudFormation go on.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

type order struct {
	Do     string          `json:"do"`
	Text   string          `json:"text"`
	Answer json.RawMessage `json:"answer"`
	Millis int             `json:"millis"`
	Size   int             `json:"size"`

	// Of "call": a request to an AWS service.
	Service string `json:"service"` // "DYNAMODB"
	Target  string `json:"target"`

	Body        *string           `json:"body"`    // of an HTTP request
	Records     []json.RawMessage `json:"Records"` // of a batch
	Type        string            `json:"type"`    // of an authorizer's request
	ResponseURL string            `json:"ResponseURL"`
	StackID     string            `json:"StackId"`
	RequestID   string            `json:"RequestId"`
	LogicalID   string            `json:"LogicalResourceId"`
	MethodARN   string            `json:"methodArn"`
}

func main() {
	root := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
	if reason := os.Getenv("FAIL_INIT"); reason != "" {
		send(root+"init/error", []byte(`{"errorType":"Init","errorMessage":"`+reason+`"}`))
		os.Exit(1)
	}
	for {
		next, err := http.Get(root + "invocation/next")
		if err != nil {
			os.Exit(1)
		}
		payload, err := io.ReadAll(next.Body)
		if err != nil {
			os.Exit(1)
		}
		_ = next.Body.Close()
		at := root + "invocation/" + next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		answer, failed := handle(payload, next.Header)
		if failed {
			send(at+"/error", answer)
		} else {
			send(at+"/response", answer)
		}
	}
}

func handle(payload []byte, header http.Header) (answer []byte, failed bool) {
	var o order
	if err := json.Unmarshal(payload, &o); err != nil {
		return []byte(`{"errorType":"Bad","errorMessage":"no JSON"}`), true
	}
	if o.Body != nil {
		answer, failed = handle([]byte(*o.Body), header)
		text, err := json.Marshal(map[string]any{"statusCode": 200, "body": string(answer)})
		return text, failed || err != nil
	}
	switch {
	case o.Type == "REQUEST":
		return fmt.Appendf(nil, `{"principalId":"ann","policyDocument":{"Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"%s"}]}}`, o.MethodARN), false
	case o.Records != nil:
		fmt.Println("records:", len(o.Records))
		return []byte(`{"batchItemFailures":[]}`), false
	case o.ResponseURL != "":
		return start(o)
	}
	switch o.Do {
	case "say":
		fmt.Println(o.Text)
	case "answer":
		return o.Answer, false
	case "fail":
		return []byte(`{"errorType":"Wanted","errorMessage":"` + o.Text + `"}`), true
	case "sleep":
		time.Sleep(time.Duration(o.Millis) * time.Millisecond)
	case "hold": // until it is killed
		fmt.Println("holding", os.Getpid())
		time.Sleep(time.Hour)
	case "await": // until the file is there
		fmt.Println("holding", os.Getpid())
		for _, err := os.Stat(o.Text); err != nil; _, err = os.Stat(o.Text) {
			time.Sleep(time.Millisecond)
		}
		return fmt.Appendf(nil, "%d", os.Getpid()), false
	case "exit":
		os.Exit(3)
	case "size":
		return []byte(`"` + strings.Repeat("x", o.Size-2) + `"`), false
	case "environment":
		text, err := json.Marshal(os.Environ())
		return text, err != nil
	case "process":
		return fmt.Appendf(nil, "%d", os.Getpid()), false
	case "headers":
		text, err := json.Marshal(header)
		return text, err != nil
	case "call":
		return call(o), false
	}
	return payload, false
}

// start is the answer to CloudFormation.
func start(o order) ([]byte, bool) {
	text, err := json.Marshal(map[string]string{
		"Status": "SUCCESS", "PhysicalResourceId": "started", "StackId": o.StackID, "RequestId": o.RequestID, "LogicalResourceId": o.LogicalID,
	})
	if err != nil {
		return nil, true
	}
	request, err := http.NewRequest(http.MethodPut, o.ResponseURL, bytes.NewReader(text))
	if err != nil {
		return nil, true
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return []byte(`{}`), true
	}
	_ = answer.Body.Close()
	return []byte(`{}`), false
}

// call names the function's key as a signed request does; nothing that runs here looks at the
// signature itself.
func call(o order) []byte {
	endpoint := os.Getenv("AWS_ENDPOINT_URL_" + o.Service)
	if endpoint == "" {
		endpoint = os.Getenv("AWS_ENDPOINT_URL")
	}
	request, err := http.NewRequest(http.MethodPost, endpoint+"/", strings.NewReader(o.Text))
	if err != nil {
		return []byte(err.Error())
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	if o.Service == "SNS" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.Header.Set("X-Amz-Target", o.Target)
	request.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
	request.Header.Set("X-Amz-Security-Token", os.Getenv("AWS_SESSION_TOKEN"))
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+os.Getenv("AWS_ACCESS_KEY_ID")+"/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=00")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return []byte(err.Error())
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return []byte(err.Error())
	}
	_ = answer.Body.Close()
	return fmt.Appendf(nil, "%d %s", answer.StatusCode, body)
}

func send(url string, body []byte) {
	answer, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		os.Exit(1)
	}
	_ = answer.Body.Close()
}
