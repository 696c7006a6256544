package sqs

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

type attributeBody struct {
	DataType    string
	StringValue string `json:",omitempty"`
	BinaryValue []byte `json:",omitempty"`
}

type entryBody struct {
	MessageBody            string
	DelaySeconds           int
	MessageAttributes      map[string]attributeBody
	MessageDeduplicationId string
	MessageGroupId         string
}

func (b entryBody) outgoing() (Outgoing, *Failure) {
	if b.DelaySeconds != 0 {
		return Outgoing{}, unsupported("DelaySeconds is not honoured by this stand-in: it delivers at once")
	}
	m := Outgoing{Body: b.MessageBody, GroupID: b.MessageGroupId, DeduplicationID: b.MessageDeduplicationId}
	if len(b.MessageAttributes) > 0 {
		m.Attributes = map[string]Attribute{}
	}
	for name, a := range b.MessageAttributes {
		m.Attributes[name] = Attribute{DataType: a.DataType, String: a.StringValue, Binary: a.BinaryValue}
	}
	return m, nil
}

type sendRequest struct {
	QueueUrl string
	entryBody
}

type sendAnswer struct {
	Id                     string `json:",omitempty"`
	MessageId              string
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
	SequenceNumber         string `json:",omitempty"`
}

func answerOf(id string, m Outgoing, sent Sent) sendAnswer {
	return sendAnswer{Id: id, MessageId: sent.MessageID, MD5OfMessageBody: MD5(m.Body), MD5OfMessageAttributes: AttributesMD5(m.Attributes), SequenceNumber: sent.SequenceNumber}
}

func sendMessage(s *Service, _ *http.Request, in *sendRequest) (any, *Failure) {
	q, f := s.use(in.QueueUrl)
	if f != nil {
		return nil, f
	}
	m, f := in.outgoing()
	if f != nil {
		return nil, f
	}
	sent, err := q.Send(m)
	if err != nil {
		return nil, failure(err)
	}
	return answerOf("", m, sent), nil
}

type sendBatchRequest struct {
	QueueUrl string
	Entries  []sendBatchEntry
}

type sendBatchEntry struct {
	Id string
	entryBody
}

// batchAnswer is the answer of every batch operation.
type batchAnswer struct {
	Successful []any
	Failed     []failedEntry
}

type failedEntry struct {
	Id, Code, Message string
	SenderFault       bool
}

func (a *batchAnswer) add(id string, done any, f *Failure) {
	if f == nil {
		a.Successful = append(a.Successful, done)
		return
	}
	a.Failed = append(a.Failed, failedEntry{Id: id, Code: f.queryCode(), Message: f.Message, SenderFault: f.Status < 500})
}

// checkBatch looks at what entries of a batch have in common.
func checkBatch(ids []string) *Failure {
	const query = "AWS.SimpleQueueService."
	if len(ids) == 0 {
		return &Failure{Code: "EmptyBatchRequest", Message: "There should be at least one entry in the request.", Status: 400, query: query + "EmptyBatchRequest"}
	}
	if len(ids) > maxBatch {
		return &Failure{Code: "TooManyEntriesInBatchRequest", Message: "Maximum number of entries per request are 10.", Status: 400, query: query + "TooManyEntriesInBatchRequest"}
	}
	for i, id := range ids {
		if !nameForm.MatchString(id) {
			return &Failure{Code: "InvalidBatchEntryId", Message: "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.", Status: 400, query: query + "InvalidBatchEntryId"}
		}
		if slices.Contains(ids[:i], id) {
			return &Failure{Code: "BatchEntryIdsNotDistinct", Message: "Two batch entries have the same id.", Status: 400, query: query + "BatchEntryIdsNotDistinct"}
		}
	}
	return nil
}

func sendMessageBatch(s *Service, _ *http.Request, in *sendBatchRequest) (any, *Failure) {
	q, f := s.use(in.QueueUrl)
	if f != nil {
		return nil, f
	}
	var ids []string
	size := 0
	messages := make([]Outgoing, len(in.Entries))
	for i, e := range in.Entries {
		ids = append(ids, e.Id)
		if messages[i], f = e.outgoing(); f != nil {
			return nil, f
		}
		size += messages[i].Size()
	}
	if f := checkBatch(ids); f != nil {
		return nil, f
	}
	if size > maxMessage {
		return nil, batchTooLong()
	}
	var answer batchAnswer
	for i, m := range messages {
		sent, err := q.Send(m)
		answer.add(ids[i], answerOf(ids[i], m, sent), failure(err))
	}
	return answer, nil
}

type receiveRequest struct {
	QueueUrl                    string
	AttributeNames              []string
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
}

type receivedMessage struct {
	MessageId, ReceiptHandle, MD5OfBody, Body string
	MD5OfMessageAttributes                    string                   `json:",omitempty"`
	Attributes                                map[string]string        `json:",omitempty"`
	MessageAttributes                         map[string]attributeBody `json:",omitempty"`
}

func receiveMessage(s *Service, r *http.Request, in *receiveRequest) (any, *Failure) {
	q, f := s.use(in.QueueUrl)
	if f != nil {
		return nil, f
	}
	input := ReceiveInput{Max: 1, Wait: q.config.ReceiveWait}
	if n := in.MaxNumberOfMessages; n != nil {
		if input.Max = *n; *n < 1 || *n > maxBatch {
			return nil, invalid("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.", *n)
		}
	}
	if n := in.WaitTimeSeconds; n != nil {
		if *n < 0 || *n > 20 {
			return nil, invalid("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.", *n)
		}
		input.Wait = time.Duration(*n) * time.Second
	}
	if input.Visibility, f = visibility(in.VisibilityTimeout); f != nil {
		return nil, f
	}
	got, err := q.Receive(r.Context(), input)
	if err != nil {
		return nil, failure(err)
	}
	system := append(in.AttributeNames, in.MessageSystemAttributeNames...)
	answer := struct {
		Messages []receivedMessage `json:",omitempty"`
	}{}
	for _, m := range got {
		answer.Messages = append(answer.Messages, shown(m, system, in.MessageAttributeNames))
	}
	return answer, nil
}

func visibility(seconds *int) (*time.Duration, *Failure) {
	if seconds == nil {
		return nil, nil
	}
	if *seconds < 0 || *seconds > int(maxVisibility/time.Second) {
		return nil, invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: must be between 0 and 43200 seconds.", *seconds)
	}
	d := time.Duration(*seconds) * time.Second
	return &d, nil
}

// shown is the message with the attributes that were asked for.
func shown(m Message, system, attributes []string) receivedMessage {
	out := receivedMessage{MessageId: m.ID, ReceiptHandle: m.Receipt, MD5OfBody: MD5(m.Body), Body: m.Body}
	for name, value := range m.System {
		if slices.Contains(system, "All") || slices.Contains(system, name) {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[name] = value
		}
	}
	asked := map[string]Attribute{}
	for name, a := range m.Attributes {
		if !slices.ContainsFunc(attributes, func(pattern string) bool { return namesAttribute(pattern, name) }) {
			continue
		}
		if out.MessageAttributes == nil {
			out.MessageAttributes = map[string]attributeBody{}
		}
		asked[name] = a
		out.MessageAttributes[name] = attributeBody{DataType: a.DataType, StringValue: a.String, BinaryValue: a.Binary}
	}
	out.MD5OfMessageAttributes = AttributesMD5(asked)
	return out
}

// namesAttribute takes a name, "All", ".*" or "prefix.*".
func namesAttribute(pattern, name string) bool {
	if pattern == "All" || pattern == ".*" || pattern == name {
		return true
	}
	prefix, ok := strings.CutSuffix(pattern, ".*")
	return ok && strings.HasPrefix(name, prefix+".")
}

type receiptRequest struct {
	QueueUrl          string
	ReceiptHandle     string
	VisibilityTimeout *int
}

func deleteMessage(s *Service, _ *http.Request, in *receiptRequest) (any, *Failure) {
	q, f := s.use(in.QueueUrl)
	if f != nil {
		return nil, f
	}
	return struct{}{}, failure(q.Delete(in.ReceiptHandle))
}

func changeVisibility(s *Service, _ *http.Request, in *receiptRequest) (any, *Failure) {
	q, f := s.use(in.QueueUrl)
	if f != nil {
		return nil, f
	}
	return struct{}{}, change(q, in.ReceiptHandle, in.VisibilityTimeout)
}

func change(q *Queue, receipt string, seconds *int) *Failure {
	in, f := visibility(seconds)
	if f != nil {
		return f
	}
	if in == nil {
		return missing("VisibilityTimeout")
	}
	return failure(q.ChangeVisibility(receipt, *in))
}

type receiptBatchRequest struct {
	QueueUrl string
	Entries  []struct {
		Id, ReceiptHandle string
		VisibilityTimeout *int
	}
}

// each does something with each receipt of a batch.
func (in *receiptBatchRequest) each(s *Service, do func(q *Queue, receipt string, seconds *int) *Failure) (any, *Failure) {
	q, f := s.use(in.QueueUrl)
	if f != nil {
		return nil, f
	}
	var ids []string
	for _, e := range in.Entries {
		ids = append(ids, e.Id)
	}
	if f := checkBatch(ids); f != nil {
		return nil, f
	}
	var answer batchAnswer
	for _, e := range in.Entries {
		answer.add(e.Id, map[string]string{"Id": e.Id}, do(q, e.ReceiptHandle, e.VisibilityTimeout))
	}
	return answer, nil
}

func deleteMessageBatch(s *Service, _ *http.Request, in *receiptBatchRequest) (any, *Failure) {
	return in.each(s, func(q *Queue, receipt string, _ *int) *Failure { return failure(q.Delete(receipt)) })
}

func changeVisibilityBatch(s *Service, _ *http.Request, in *receiptBatchRequest) (any, *Failure) {
	return in.each(s, change)
}
