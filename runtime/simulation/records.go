package simulation

import (
	"encoding/json"
	"strconv"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// Stream records and batches as functions get them: the JSON of DynamoDB's streams and of queues.

type attribute map[string]any

func textual(s string) attribute { return attribute{"S": s} }

func numeric(n int64) attribute { return attribute{"N": strconv.FormatInt(n, 10)} }

// eventRecord is the record of the stream of the events table that an event leaves.
func eventRecord(e *es.Recorded, sequence string) json.RawMessage {
	image := map[string]attribute{
		"_id": textual(e.EntityID), "_version": numeric(e.Version), "_eventId": textual(e.EventID), "_format": numeric(1),
		"_type": textual(e.Type), "_revision": numeric(int64(e.Revision)), "_time": textual(e.Time.UTC().Format(time.RFC3339Nano)),
		"_payload": textual(e.Payload),
	}
	for name, value := range map[string]string{
		"_state": e.State, "_digest": e.Digest, "_correlationId": e.CorrelationID, "_causationId": e.CausationID, "_actor": e.Actor,
	} {
		if value != "" {
			image[name] = textual(value)
		}
	}
	return streamRecord("INSERT", sequence, e.Time, image, nil)
}

// changeRecord is the record of the stream of a view's table that a change leaves.
func changeRecord(c *es.RecordChange, sequence string) json.RawMessage {
	image := func(payload string, guard int64) map[string]attribute {
		i := map[string]attribute{"_key": textual(c.Key), "_guard": numeric(guard)}
		if payload != "" {
			i["_payload"] = textual(payload)
		}
		return i
	}
	now := image(c.New, c.Guard)
	if c.Rebuilding {
		now["_rebuild"] = attribute{"BOOL": true}
	}
	return streamRecord("MODIFY", sequence, c.Time, now, image(c.Old, 0))
}

func streamRecord(name, sequence string, at time.Time, now, was map[string]attribute) json.RawMessage {
	change := map[string]any{"NewImage": now, "SequenceNumber": sequence, "ApproximateCreationDateTime": at.Unix()}
	if was != nil {
		change["OldImage"] = was
	}
	return mustJSON(map[string]any{"eventName": name, "eventSource": "aws:dynamodb", "dynamodb": change})
}

// queueRecord is a message as a queue delivers it.
func queueRecord(m *message) json.RawMessage {
	return mustJSON(map[string]any{
		"messageId": m.id, "eventSource": "aws:sqs", "body": m.body, "attributes": map[string]string{
			"MessageGroupId": m.group, "ApproximateReceiveCount": strconv.Itoa(m.received),
		},
	})
}

func batchOf(records []json.RawMessage) []byte { return mustJSON(map[string]any{"Records": records}) }

func mustJSON(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // of texts and numbers
	}
	return text
}

// failuresIn are the identifiers of what is to be delivered again, by a function's answer.
func failuresIn(answer []byte) (failed []string) {
	var a struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		panic(err)
	}
	for _, f := range a.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}
