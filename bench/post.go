package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/esgen/esgen/bench/plain"
	"github.com/esgen/esgen/bench/sample"
	orders "github.com/esgen/esgen/bench/sample/orders/events"
	es "github.com/esgen/esgen/runtime"
)

var now = time.Date(2026, 3, 1, 10, 15, 31, 0, time.UTC)

const (
	rowHand   = "A encoding/json, checks by hand, MarshalMap"
	rowSchema = "B jsonschema/v5, then as A"
	rowPost   = "esgen: decode, check, defaults, digest, item with one JSON attribute"
	rowV1     = "encoding/json, decode alone"
	rowV2     = "json v2, decode alone"
	rowDecode = "esgen: decode, check, defaults"
	rowSubmit = "esgen: the same, the digest, the envelope, and the canonical payload"
	rowStored = "esgen: decode the stored payload"
)

// postSuite measures a POST up to the item that is put.
func postSuite() (*suite, error) {
	schema, err := plain.Compile()
	if err != nil {
		return nil, err
	}
	body, m := []byte(plain.Body), sample.Orders()
	return &suite{
		title: "POST: an event of " + strconv.Itoa(len(body)) + " bytes with 4 items, up to the item that is put",
		rows: []row{
			{name: rowHand, run: func() error { return postByHand(body, now) }},
			{name: rowSchema, run: func() error { return postBySchema(schema, body, now) }},
			{name: rowPost, run: func() error { return post(m, body) }},
		},
		goals: []goal{
			{id: "G1", says: "of A", row: rowPost, against: rowHand, limit: 0.20},
			{id: "G1", says: "of B", row: rowPost, against: rowSchema, limit: 0.06},
			{id: "G2", says: "allocations", row: rowPost, limit: 12},
		},
	}, nil
}

// decodeSuite measures what reading the event costs beside decoding it alone.
func decodeSuite() (*suite, error) {
	body, m := []byte(plain.Body), sample.Orders()
	s, err := m.DecodeSubmission(body, now)
	if err != nil {
		return nil, err
	}
	// The event alone, as the decoders that it is compared with read it.
	fields := []byte(strings.Replace(plain.Body, `"type":"OrderPlaced","orderId":"ord-2026-000017",`, "", 1))
	stored := es.Recorded{EntityID: s.EntityID, Version: 1, Type: "OrderPlaced", Revision: 1, Time: now, Payload: s.Payload}
	return &suite{
		title: "Decoding: the same event",
		rows: []row{
			{name: rowV1, run: func() error { return decodeV1(body) }},
			{name: rowV2, run: func() error { return decodeV2(body) }},
			{name: rowDecode, run: func() error {
				e := &orders.OrderPlaced{}
				sink = e
				return es.DecodeChecked(string(fields), e, now)
			}},
			{name: rowSubmit, run: func() error {
				s, err := m.DecodeSubmission(body, now)
				sink = s
				return err
			}},
			{name: rowStored, run: func() error {
				e, err := m.LoadEvent(&stored)
				sink = e
				return err
			}},
		},
		goals: []goal{
			{id: "G3", says: "of encoding/json", row: rowDecode, against: rowV1, limit: 0.20},
			{id: "G3", says: "of json v2", row: rowDecode, against: rowV2, limit: 0.45},
		},
	}, nil
}

func post(m *es.Model, body []byte) error {
	s, err := m.DecodeSubmission(body, now)
	if err != nil {
		return err
	}
	sink = eventItem(s)
	return nil
}

// eventItem lays out an event as a table keeps it: what is keyed or filtered as
// attributes, the payload as one string. The attributes share one piece of memory.
func eventItem(s *es.Submission) map[string]types.AttributeValue {
	a := &struct {
		id, kind, event, time, digest, payload types.AttributeValueMemberS
		version, format                        types.AttributeValueMemberN
	}{}
	a.id.Value, a.kind.Value, a.event.Value = s.EntityID, s.Type.Name, plain.EventID
	a.time.Value, a.digest.Value, a.payload.Value = eventTime(now), s.Digest, s.Payload
	a.version.Value, a.format.Value = strconv.FormatInt(1, 10), "1"
	return map[string]types.AttributeValue{
		"_id": &a.id, "_version": &a.version, "_type": &a.kind, "_eventId": &a.event,
		"_time": &a.time, "_digest": &a.digest, "_payload": &a.payload, "_format": &a.format,
	}
}

func eventTime(t time.Time) string {
	text := es.AppendTime(make([]byte, 0, 40), t)
	return string(text[1 : len(text)-1])
}
