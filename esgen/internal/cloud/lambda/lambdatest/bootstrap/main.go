// Command bootstrap is a function for tests that speaks the Lambda Runtime API without any
// library. Its payload is an object whose member "do" says what it does.
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
	switch o.Do {
	case "say":
		fmt.Println(o.Text)
	case "answer":
		return o.Answer, false
	case "fail":
		return []byte(`{"errorType":"Wanted","errorMessage":"` + o.Text + `"}`), true
	case "sleep":
		time.Sleep(time.Duration(o.Millis) * time.Millisecond)
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
	}
	return payload, false
}

func send(url string, body []byte) {
	answer, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		os.Exit(1)
	}
	_ = answer.Body.Close()
}
