package main

import (
	"github.com/esgen/esgen/bench/sample"
	"github.com/esgen/esgen/runtime/lambda"
)

func main() { lambda.Command(sample.Orders()) }
