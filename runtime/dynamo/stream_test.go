package dynamo_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

// written is the item that a store sends, in DynamoDB's JSON, which is how a stream has it.
func written(t testing.TB, call func(s *dynamo.Store) error) string {
	t.Helper()
	w := &wire{answers: []answer{{body: "{}"}}}
	s, err := dynamo.New(wiredOptions(w))
	if err != nil {
		t.Fatal(err)
	}
	if err := call(s); err != nil {
		t.Fatal(err)
	}
	var request struct{ Item json.RawMessage }
	if err := json.Unmarshal(w.sent[0].body, &request); err != nil {
		t.Fatal(err)
	}
	return string(request.Item)
}

func writtenEvent(t testing.TB, e *es.Recorded) string {
	t.Helper()
	return written(t, func(s *dynamo.Store) error { _, err := s.Put(t.Context(), e); return err })
}

func writtenRecord(t testing.TB, item es.Item, rebuild bool) string {
	t.Helper()
	step := moveRecord(0, item)
	step.Rebuild = rebuild
	return written(t, func(s *dynamo.Store) error { return s.Write(t.Context(), step) })
}

// record is a record of a stream as Lambda hands it on; "" for no image.
func record(name, sequence, now, was string) string {
	images := ""
	if now != "" {
		images += `"NewImage":` + now + `,`
	}
	if was != "" {
		images += `"OldImage":` + was + `,`
	}
	return `{"eventID":"c4ca4238a0b923820dcc509a6f75849b","eventName":"` + name + `","eventVersion":"1.1","eventSource":"aws:dynamodb",` +
		`"awsRegion":"eu-central-1","dynamodb":{"ApproximateCreationDateTime":1770091506,"Keys":{"_id":{"S":"o-1"},"_version":{"N":"3"}},` +
		images + `"SequenceNumber":"` + sequence + `","SizeBytes":712,"StreamViewType":"NEW_AND_OLD_IMAGES"},` +
		`"eventSourceARN":"arn:aws:dynamodb:eu-central-1:123456789012:table/events/stream/2026-02-03T04:05:06.000"}`
}

func batchOf(records ...string) []byte {
	return []byte(`{"Records":[` + strings.Join(records, ",") + `]}`)
}

func TestStreamOfEventsIsWhatWasPut(t *testing.T) {
	bare := es.Recorded{EntityID: "a/b?c#d%e f é \u2028 \\ \"", Version: 1, EventID: "e", Type: "T", Revision: 1, Time: at.Truncate(time.Second), Payload: "{}"}
	escapes := placed
	escapes.Payload = `{"note":"line\nbreak \" \\ é 日本 😀","n":1e3}`
	want := []es.Recorded{placed, bare, escapes}
	var records []string
	for i := range want {
		records = append(records, record("INSERT", strconv.Itoa(100+i), writtenEvent(t, &want[i]), ""))
	}
	b, err := dynamo.DecodeEvents(batchOf(records...))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(b.Values, want) {
		t.Errorf("got  %+v\nwant %+v", b.Values, want)
	}
	if got := fmt.Sprint(b.Sequences, b.Skipped, b.Records()); got != "[100 101 102] [] 3" {
		t.Error(got)
	}
}

func TestStreamOfAViewIsWhatChanged(t *testing.T) {
	before, gone := order, order
	before.Payload, before.Guard = `{"orderId":"o-1","note":"é\""}`, 3
	gone.Payload, gone.Guard = "", 5
	batch := batchOf(
		record("INSERT", "1", writtenRecord(t, before, false), ""),
		record("MODIFY", "2", writtenRecord(t, order, true), writtenRecord(t, before, false)),
		record("MODIFY", "3", writtenRecord(t, gone, false), writtenRecord(t, order, false)),
		record("REMOVE", "4", "", writtenRecord(t, gone, false)),
	)
	b, err := dynamo.DecodeChanges("orders", batch)
	if err != nil {
		t.Fatal(err)
	}
	made := time.Unix(1770091506, 0).UTC()
	want := []es.RecordChange{
		{View: "orders", Key: "o-1", Guard: 3, Time: made, New: before.Payload},
		{View: "orders", Key: "o-1", Guard: 4, Time: made, Old: before.Payload, New: order.Payload, Rebuilding: true},
		{View: "orders", Key: "o-1", Guard: 5, Time: made, Old: order.Payload},
	}
	if !reflect.DeepEqual(b.Values, want) {
		t.Errorf("got  %+v\nwant %+v", b.Values, want)
	}
	if got := fmt.Sprint(b.Sequences, b.Skipped); got != "[1 2 3] [4]" {
		t.Error(got)
	}
}

// TestStreamPassesOverWhatIsNotOurs has everything between two good events that could stand there.
func TestStreamPassesOverWhatIsNotOurs(t *testing.T) {
	good := writtenEvent(t, &placed)
	replaced := func(old, with string) string {
		t.Helper()
		if !strings.Contains(good, old) {
			t.Fatalf("no %s in %s", old, good)
		}
		return record("INSERT", "7", strings.Replace(good, old, with, 1), "")
	}
	for name, r := range map[string]string{
		"a later format":        replaced(`"_format":{"N":"1"}`, `"_format":{"N":"2"}`),
		"no format":             replaced(`"_format":{"N":"1"}`, `"_other":{"N":"1"}`),
		"a version in words":    replaced(`"_version":{"N":"3"}`, `"_version":{"N":"three"}`),
		"a version of zero":     replaced(`"_version":{"N":"3"}`, `"_version":{"N":"0"}`),
		"a version too large":   replaced(`"_version":{"N":"3"}`, `"_version":{"N":"99999999999999999999"}`),
		"a version as text":     replaced(`"_version":{"N":"3"}`, `"_version":{"S":"3"}`),
		"a bare version":        replaced(`"_version":{"N":"3"}`, `"_version":3`),
		"no entity":             replaced(`"_id":{"S":"o-1"}`, `"_ID":{"S":"o-1"}`),
		"an empty attribute":    replaced(`"_id":{"S":"o-1"}`, `"_id":{}`),
		"an attribute too many": replaced(`"_id":{"S":"o-1"}`, `"_id":{"S":"o-1","N":"1"}`),
		"a list for an id":      replaced(`"_id":{"S":"o-1"}`, `"_id":{"L":[{"S":"o-1"}]}`),
		"a payload as a map":    replaced(`"_payload":{"S"`, `"_payload":{"B"`),
		"a number that is text": replaced(`"_id":{"S":"o-1"}`, `"_id":{"S":{"x":[1,"]}"]}}`),
		"a time of another era": replaced(`"_time":{"S":"2026`, `"_time":{"S":"soon, 2026`),
		"no image":              record("INSERT", "7", "", ""),
		"an image that is null": record("INSERT", "7", "null", ""),
		"an image of a kind":    record("INSERT", "7", `[1,{"_id":{"S":"o"}}]`, ""),
		"a modification":        record("MODIFY", "7", good, good),
		"a removal":             record("REMOVE", "7", "", good),
		"no change at all":      `{"eventName":"INSERT"}`,
		"a change that is text": `{"eventName":"INSERT","dynamodb":"x"}`,
		"not even an object":    `"INSERT"`,
	} {
		b, err := dynamo.DecodeEvents(batchOf(record("INSERT", "6", good, ""), r, record("INSERT", "8", good, "")))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(b.Values) != 2 || len(b.Skipped) != 1 || b.Sequences[0] != "6" || b.Sequences[1] != "8" {
			t.Errorf("%s: %v, skipped %v", name, b.Sequences, b.Skipped)
			continue
		}
		if strings.Contains(r, `"7"`) && b.Skipped[0] != "7" {
			t.Errorf("%s: skipped %v", name, b.Skipped)
		}
	}
	record1 := writtenRecord(t, order, false)
	for name, r := range map[string]string{
		"no key":            record("MODIFY", "7", strings.Replace(record1, "_key", "_yek", 1), ""),
		"a flag as text":    record("MODIFY", "7", strings.Replace(record1, `"_guard":{"N":"4"}`, `"_guard":{"N":"4"},"_rebuild":{"S":"true"}`, 1), ""),
		"an old image lies": record("MODIFY", "7", record1, strings.Replace(record1, `"_payload":{"S"`, `"_payload":{"N"`, 1)),
	} {
		if b, err := dynamo.DecodeChanges("orders", batchOf(r)); err != nil || len(b.Values) != 0 || len(b.Skipped) != 1 {
			t.Errorf("%s: %+v, %v", name, b, err)
		}
	}
}

func TestNoBatchIsAnError(t *testing.T) {
	for _, text := range []string{
		``, `x`, `null`, `[]`, `{}`, `{"Records":null}`, `{"Records":{}}`, `{"Records":[`, `{"Records":[{"dynamodb":{]}`,
		`{"Records":[]} x`, `{"Records":[{"eventName":"INSERT"]}`, `{"detail":1}`, `{"Records":[{"dynamodb":{"NewImage":{"_id":{"S":"secret`,
	} {
		b, err := dynamo.DecodeEvents([]byte(text))
		if err == nil {
			t.Errorf("%s: %+v", text, b)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error quotes the batch: %v", err)
		}
	}
	if b, err := dynamo.DecodeEvents([]byte(` {"x":[1],"Records":[],"y":{}} `)); err != nil || b.Records() != 0 {
		t.Errorf("an empty batch: %+v, %v", b, err)
	}
}

// FuzzStream hands over any text, and an event of any texts that must come back.
func FuzzStream(f *testing.F) {
	good := record("MODIFY", "9", `{"_id":{"S":"o-1"},"_version":{"N":"3"},"_format":{"N":"1"},"_payload":{"S":"{\"a\":1}"}}`, `{"_key":{"S":"k"}}`)
	f.Add(string(batchOf(good)), "o-1", `{"a":"é\n"}`)
	f.Add(`{"Records":[{"dynamodb":{"NewImage":{"_id":{"S":`, "\u2028", `{}`)
	f.Add(`{"Records":[{"dynamodb":{"ApproximateCreationDateTime":1e999}}]}`, "\x00", "")
	f.Fuzz(func(t *testing.T, text, id, payload string) {
		if b, err := dynamo.DecodeEvents([]byte(text)); err == nil {
			for i, e := range b.Values {
				if e.EntityID == "" || e.Version < 1 || len(b.Sequences) != len(b.Values) {
					t.Errorf("record %d is no event: %+v", i, e)
				}
			}
		} else if b, err := dynamo.DecodeChanges("v", []byte(text)); err == nil {
			t.Errorf("a batch of changes and none of events: %+v", b)
		}
		attribute := func(kind, value string) map[string]string { return map[string]string{kind: value} }
		item, err := json.Marshal(map[string]any{
			"_id": attribute("S", id), "_version": attribute("N", "5"), "_format": attribute("N", "1"), "_type": attribute("S", payload),
			"_payload": attribute("S", payload), "_time": attribute("S", "2026-02-03T04:05:06Z"),
		})
		if err != nil {
			t.Fatal(err)
		}
		b, err := dynamo.DecodeEvents(batchOf(record("INSERT", "1", string(item), "")))
		if err != nil {
			t.Fatal(err)
		}
		id, payload = strings.ToValidUTF8(id, "\ufffd"), strings.ToValidUTF8(payload, "\ufffd")
		if id == "" {
			return
		}
		// encoding/json replaces each byte that is no UTF-8, ToValidUTF8 each run of them.
		if squeeze := func(s string) string {
			for strings.Contains(s, "\ufffd\ufffd") {
				s = strings.ReplaceAll(s, "\ufffd\ufffd", "\ufffd")
			}
			return s
		}; len(b.Values) != 1 || squeeze(b.Values[0].EntityID) != squeeze(id) || squeeze(b.Values[0].Payload) != squeeze(payload) || squeeze(b.Values[0].Type) != squeeze(payload) {
			t.Errorf("%q, %q: %+v", id, payload, b)
		}
	})
}

// streamSample is a batch of 100 events of 555 bytes, as the benchmarks of the project have them.
func streamSample(b *testing.B) []byte {
	e := placed
	e.EventID, e.Digest = "018e0b1f-94f2-7c3a-9d52-0123456789ab", "5f2b8c1d9e3a4706"
	e.Payload = `{"customerId":"c-20260301-0042","currency":"EUR","channel":"web","items":[` +
		strings.TrimSuffix(strings.Repeat(`{"sku":"AB-1234-XYZ","quantity":3,"unitPrice":19.95},`, 4), ",") +
		`],"total":239.40,"placedAt":"2026-03-01T10:15:30Z","shippingAddress":{"street":"Unter den Linden 77","city":"Berlin","country":"DE"},"note":"ring twice, then leave it at the door; the neighbours know about it"}`
	item := writtenEvent(b, &e)
	var records []string
	for i := range 100 {
		records = append(records, record("INSERT", strconv.Itoa(40000000000000000+i), item, ""))
	}
	return batchOf(records...)
}

// BenchmarkStream compares the decoding of a batch with a check that it is JSON (goal G6: at most 1.0).
func BenchmarkStream(b *testing.B) {
	batch := streamSample(b)
	b.Run("decoded", func(b *testing.B) {
		b.SetBytes(int64(len(batch)))
		b.ReportAllocs()
		for b.Loop() {
			if got, err := dynamo.DecodeEvents(batch); err != nil || len(got.Values) != 100 {
				b.Fatal(err)
			}
		}
	})
	b.Run("json.Valid", func(b *testing.B) {
		b.SetBytes(int64(len(batch)))
		for b.Loop() {
			if !json.Valid(batch) {
				b.Fatal("not JSON")
			}
		}
	})
}
