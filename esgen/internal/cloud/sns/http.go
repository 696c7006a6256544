package sns

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/esgen/esgen/esgen/internal/cloud/query"
	"github.com/esgen/esgen/esgen/internal/cloud/sqs"
)

const namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

// maxRequest bounds a request: the largest batch, each byte of it escaped.
const maxRequest = 4 << 20

const maxBatch = 10

// ServeHTTP answers Publish and PublishBatch of the Query protocol. Signatures are not checked.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	action, result, f := s.answer(w, r)
	if f != nil {
		query.Refuse(w, namespace, f)
		return
	}
	query.Answer(w, namespace, action, result)
}

func (s *Service) answer(w http.ResponseWriter, r *http.Request) (action string, result any, f *query.Failure) {
	form, action, f := query.Read(w, r, maxRequest)
	if f != nil {
		return "", nil, f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch action {
	case "Publish":
		result, f = s.servePublish(form)
	case "PublishBatch":
		result, f = s.servePublishBatch(form)
	default:
		f = &query.Failure{Code: "InvalidAction", Message: fmt.Sprintf("the operation %.64q is not honoured by this stand-in", action), Status: 400}
	}
	return action, result, f
}

func (s *Service) topicOf(form *query.Form) (*topic, *query.Failure) {
	if t := s.topics[form.Take("TopicArn")]; t != nil {
		return t, nil
	}
	return nil, &query.Failure{Code: "NotFound", Message: "Topic does not exist", Status: 404}
}

type publishResult struct {
	MessageId      string
	SequenceNumber string `xml:",omitempty"`
}

func (s *Service) servePublish(form *query.Form) (any, *query.Failure) {
	t, f := s.topicOf(form)
	if f != nil {
		return nil, f
	}
	e, f := readEntry(form, "")
	if f == nil {
		f = form.Rest()
	}
	if f != nil {
		return nil, f
	}
	sent, f := s.publish(t, e)
	return publishResult{sent.messageID, sent.sequence}, f
}

type batchResult struct {
	Successful struct {
		Members []batchSuccess `xml:"member"`
	}
	Failed struct {
		Members []batchFailure `xml:"member"`
	}
}

type batchSuccess struct {
	Id             string
	MessageId      string
	SequenceNumber string `xml:",omitempty"`
}

type batchFailure struct {
	Id, Code, Message string
	SenderFault       bool
}

func (s *Service) servePublishBatch(form *query.Form) (any, *query.Failure) {
	t, f := s.topicOf(form)
	if f != nil {
		return nil, f
	}
	entries, f := readBatch(form)
	if f == nil {
		f = checkBatch(t, entries)
	}
	if f != nil {
		return nil, f
	}
	var result batchResult
	for _, e := range entries {
		sent, f := s.publish(t, e)
		if f != nil {
			result.Failed.Members = append(result.Failed.Members, batchFailure{e.ID, f.Code, f.Message, f.Status < 500})
			continue
		}
		result.Successful.Members = append(result.Successful.Members, batchSuccess{e.ID, sent.messageID, sent.sequence})
	}
	return result, nil
}

func readBatch(form *query.Form) ([]Entry, *query.Failure) {
	var entries []Entry
	for {
		prefix := fmt.Sprintf("PublishBatchRequestEntries.member.%d.", len(entries)+1)
		if !form.Has(prefix) {
			return entries, form.Rest()
		}
		if len(entries) == maxBatch {
			return nil, &query.Failure{Code: "TooManyEntriesInBatchRequest", Message: "The batch request contains more entries than permissible.", Status: 400}
		}
		e, f := readEntry(form, prefix)
		if f != nil {
			return nil, f
		}
		e.ID = form.Take(prefix + "Id")
		entries = append(entries, e)
	}
}

var batchID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func checkBatch(t *topic, entries []Entry) *query.Failure {
	if len(entries) == 0 {
		return &query.Failure{Code: "EmptyBatchRequest", Message: "The batch request doesn't contain any entries.", Status: 400}
	}
	size := 0
	for i, e := range entries {
		size += e.Size()
		if !batchID.MatchString(e.ID) {
			return &query.Failure{Code: "InvalidBatchEntryId", Message: "The Id of a batch entry in a batch request doesn't abide by the specification.", Status: 400}
		}
		if slices.ContainsFunc(entries[:i], func(other Entry) bool { return other.ID == e.ID }) {
			return &query.Failure{Code: "BatchEntryIdsNotDistinct", Message: "Two or more batch entries in the request have the same Id.", Status: 400}
		}
	}
	if size > t.config.MaximumMessageSize {
		return &query.Failure{Code: "BatchRequestTooLong", Message: "The length of all the batch messages put together is more than the limit.", Status: 400}
	}
	return nil
}

func readEntry(form *query.Form, prefix string) (Entry, *query.Failure) {
	e := Entry{Outgoing: sqs.Outgoing{
		Body: form.Take(prefix + "Message"), GroupID: form.Take(prefix + "MessageGroupId"), DeduplicationID: form.Take(prefix + "MessageDeduplicationId"),
	}}
	for i := 1; ; i++ {
		at := fmt.Sprintf("%sMessageAttributes.entry.%d.", prefix, i)
		if !form.Has(at) {
			return e, nil
		}
		if e.Attributes == nil {
			e.Attributes = map[string]sqs.Attribute{}
		}
		a := sqs.Attribute{DataType: form.Take(at + "Value.DataType"), String: form.Take(at + "Value.StringValue")}
		if binary := form.Take(at + "Value.BinaryValue"); binary != "" {
			var err error
			if a.Binary, err = base64.StdEncoding.DecodeString(binary); err != nil {
				return e, invalid("message attribute %d: BinaryValue is not base64", i)
			}
		}
		e.Attributes[form.Take(at+"Name")] = a
	}
}
