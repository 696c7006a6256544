package sqs

import "fmt"

// Failure is an error that SQS would answer.
type Failure struct {
	Code    string // "QueueDoesNotExist"
	Message string
	Status  int // of HTTP; 400 is the caller's fault
	query   string
}

func (f *Failure) Error() string { return "sqs: " + f.Code + ": " + f.Message }

// queryCode is the code as the older Query protocol has it: SDKs show that one.
func (f *Failure) queryCode() string {
	if f.query != "" {
		return f.query
	}
	return f.Code
}

func invalid(format string, args ...any) *Failure {
	return &Failure{Code: "InvalidParameterValue", Message: fmt.Sprintf(format, args...), Status: 400}
}

func missing(what string) *Failure {
	return &Failure{Code: "MissingParameter", Message: "The request must contain the parameter " + what + ".", Status: 400}
}

func unsupported(format string, args ...any) *Failure {
	return &Failure{Code: "UnsupportedOperation", Message: fmt.Sprintf(format, args...), Status: 400, query: "AWS.SimpleQueueService.UnsupportedOperation"}
}

func noQueue() *Failure {
	return &Failure{Code: "QueueDoesNotExist", Message: "The specified queue does not exist.", Status: 400, query: "AWS.SimpleQueueService.NonExistentQueue"}
}

func overLimit(message string) *Failure {
	return &Failure{Code: "OverLimit", Message: message, Status: 400}
}

// full is no error of SQS's: its queues have no end.
func full(limit int64) *Failure {
	return &Failure{Code: "ServiceUnavailable", Message: fmt.Sprintf("this stand-in holds at most %d bytes in all queues together", limit), Status: 503}
}
