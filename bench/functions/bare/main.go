// Command bare is a function that does nothing: Amazon's library alone.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

type handler struct{}

func (handler) Invoke(context.Context, []byte) ([]byte, error) {
	return []byte(`{"statusCode":204}`), nil
}

func main() { lambda.Start(handler{}) }
