package sqs

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

type queueName struct{ QueueName, QueueOwnerAWSAccountId string }

func getQueueURL(s *Service, _ *http.Request, in *queueName) (any, *Failure) {
	if in.QueueOwnerAWSAccountId != "" && in.QueueOwnerAWSAccountId != s.options.Account {
		return nil, noQueue()
	}
	if q := s.Queue(in.QueueName); q != nil {
		return map[string]string{"QueueUrl": q.URL()}, nil
	}
	return nil, noQueue()
}

type queueURL struct{ QueueUrl string }

func purgeQueue(s *Service, _ *http.Request, in *queueURL) (any, *Failure) {
	q, f := s.use(in.QueueUrl)
	if f != nil {
		return nil, f
	}
	q.Purge()
	return struct{}{}, nil
}

type listRequest struct{ QueueNamePrefix string }

// listQueues answers all at once: nobody declares a thousand queues.
func listQueues(s *Service, _ *http.Request, in *listRequest) (any, *Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	urls := []string{}
	for _, name := range s.names {
		if strings.HasPrefix(name, in.QueueNamePrefix) {
			urls = append(urls, s.queues[name].URL())
		}
	}
	return map[string][]string{"QueueUrls": urls}, nil
}

type attributesRequest struct {
	QueueUrl       string
	AttributeNames []string
}

func getQueueAttributes(s *Service, _ *http.Request, in *attributesRequest) (any, *Failure) {
	q, f := s.use(in.QueueUrl)
	if f != nil {
		return nil, f
	}
	all := q.attributes()
	asked := map[string]string{}
	for _, name := range in.AttributeNames {
		switch value, ok := all[name]; {
		case name == "All":
			return map[string]any{"Attributes": all}, nil
		case ok:
			asked[name] = value
		case !slices.Contains(absent, name):
			return nil, &Failure{Code: "InvalidAttributeName", Message: "Unknown Attribute " + strconv.Quote(name) + ".", Status: 400}
		}
	}
	return map[string]any{"Attributes": asked}, nil
}

// absent are attributes that a queue may be asked for and does not have.
var absent = []string{"RedrivePolicy", "RedriveAllowPolicy", "Policy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}

func (q *Queue) attributes() map[string]string {
	c, counts := q.config, q.Counts()
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	created := strconv.FormatInt(q.created.Unix(), 10)
	all := map[string]string{
		"ApproximateNumberOfMessages":           strconv.Itoa(counts.Visible),
		"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(counts.InFlight),
		"ApproximateNumberOfMessagesDelayed":    "0",
		"CreatedTimestamp":                      created,
		"LastModifiedTimestamp":                 created,
		"DelaySeconds":                          "0",
		"MaximumMessageSize":                    strconv.Itoa(c.MaximumMessageSize),
		"MessageRetentionPeriod":                seconds(c.Retention),
		"QueueArn":                              q.ARN(),
		"ReceiveMessageWaitTimeSeconds":         seconds(c.ReceiveWait),
		"VisibilityTimeout":                     seconds(*c.VisibilityTimeout),
	}
	if c.FIFO {
		all["FifoQueue"] = "true"
		all["ContentBasedDeduplication"] = strconv.FormatBool(c.ContentBasedDeduplication)
	}
	if c.DeduplicationScope != "" {
		all["DeduplicationScope"] = c.DeduplicationScope
	}
	if c.Redrive != nil {
		policy, _ := json.Marshal(map[string]any{"deadLetterTargetArn": c.Redrive.DeadLetterARN, "maxReceiveCount": c.Redrive.MaxReceiveCount})
		all["RedrivePolicy"] = string(policy)
	}
	return all
}

type moveRequest struct {
	SourceArn, DestinationArn string
}

func startMove(s *Service, _ *http.Request, in *moveRequest) (any, *Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	task, f := s.move(in.SourceArn, in.DestinationArn)
	if f != nil {
		return nil, f
	}
	return map[string]string{"TaskHandle": task.handle}, nil
}

type listMovesRequest struct {
	SourceArn  string
	MaxResults *int
}

type shownTask struct {
	Status, SourceArn                 string
	DestinationArn                    string `json:",omitempty"`
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove int
	StartedTimestamp                  int64
	FailureReason                     string `json:",omitempty"`
}

func listMoves(s *Service, _ *http.Request, in *listMovesRequest) (any, *Failure) {
	most := 1
	if in.MaxResults != nil {
		if most = *in.MaxResults; most < 1 || most > 10 {
			return nil, invalid("Value %d for parameter MaxResults is invalid. Reason: must be between 1 and 10.", most)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byARN(in.SourceArn) == nil {
		return nil, noResource("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	results := []shownTask{}
	for _, t := range slices.Backward(s.tasks) {
		if t.source != in.SourceArn || len(results) == most {
			continue
		}
		status := "COMPLETED"
		if t.failure != "" {
			status = "FAILED"
		}
		results = append(results, shownTask{
			Status: status, SourceArn: t.source, DestinationArn: t.destination, StartedTimestamp: t.started, FailureReason: t.failure,
			ApproximateNumberOfMessagesMoved: t.moved, ApproximateNumberOfMessagesToMove: t.toMove,
		})
	}
	return map[string]any{"Results": results}, nil
}
