package mapping

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	es "github.com/esgen/esgen/runtime"
)

// record is a stream record as functions get it.
type record struct {
	text     []byte // JSON
	sequence string
	created  time.Time
}

// maxPayload is Lambda's limit of what a function is called with.
const maxPayload = 6 << 20

const (
	envelopeStart = `{"Records":[`
	envelopeEnd   = `]}`
)

// payload is the event that has the texts as its records.
func payload(texts [][]byte) []byte {
	size := len(envelopeStart) + len(envelopeEnd)
	for _, text := range texts {
		size += len(text) + 1
	}
	dst := append(make([]byte, 0, size), envelopeStart...)
	for i, text := range texts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, text...)
	}
	return append(dst, envelopeEnd...)
}

// room is how many of these fit into one payload, at least one.
func room[T any](items []T, size func(T) int) int {
	total := len(envelopeStart) + len(envelopeEnd)
	for i, item := range items {
		if total += size(item) + 1; total > maxPayload && i > 0 {
			return i
		}
	}
	return len(items)
}

// newRecord makes the JSON that Lambda makes of a stream's record.
func newRecord(r types.Record, region, streamARN string) record {
	change := r.Dynamodb
	if change == nil {
		change = &types.StreamRecord{}
	}
	name, identity := string(r.EventName), r.UserIdentity
	if name == "UNKNOWN_TO_SDK_VERSION" {
		// This is how DynamoDB Local says that an item expired.
		name, identity = string(types.OperationTypeRemove), &types.Identity{Type: aws.String("Service"), PrincipalId: aws.String("dynamodb.amazonaws.com")}
	}
	dst := append([]byte(nil), `{"eventID":`...)
	dst = es.AppendString(dst, aws.ToString(r.EventID))
	dst = append(dst, `,"eventName":`...)
	dst = es.AppendString(dst, name)
	dst = append(dst, `,"eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":`...)
	dst = es.AppendString(dst, region)
	dst = append(dst, `,"dynamodb":`...)
	dst = appendChange(dst, change)
	if identity != nil {
		dst = append(dst, `,"userIdentity":{"principalId":`...)
		dst = es.AppendString(dst, aws.ToString(identity.PrincipalId))
		dst = append(dst, `,"type":`...)
		dst = append(es.AppendString(dst, aws.ToString(identity.Type)), '}')
	}
	dst = append(dst, `,"eventSourceARN":`...)
	dst = append(es.AppendString(dst, streamARN), '}')
	return record{text: dst, sequence: aws.ToString(change.SequenceNumber), created: aws.ToTime(change.ApproximateCreationDateTime)}
}

func appendChange(dst []byte, change *types.StreamRecord) []byte {
	dst = append(dst, `{"ApproximateCreationDateTime":`...)
	dst = strconv.AppendInt(dst, aws.ToTime(change.ApproximateCreationDateTime).Unix(), 10)
	for _, image := range []struct {
		name string
		item map[string]types.AttributeValue
	}{{"Keys", change.Keys}, {"NewImage", change.NewImage}, {"OldImage", change.OldImage}} {
		if image.item == nil {
			continue
		}
		dst = append(dst, ',')
		dst = append(es.AppendString(dst, image.name), ':')
		dst = appendItem(dst, image.item)
	}
	dst = append(dst, `,"SequenceNumber":`...)
	dst = es.AppendString(dst, aws.ToString(change.SequenceNumber))
	dst = append(dst, `,"SizeBytes":`...)
	dst = strconv.AppendInt(dst, aws.ToInt64(change.SizeBytes), 10)
	dst = append(dst, `,"StreamViewType":`...)
	return append(es.AppendString(dst, string(change.StreamViewType)), '}')
}

func appendItem(dst []byte, item map[string]types.AttributeValue) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(item)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(es.AppendString(dst, name), ':')
		dst = appendValue(dst, item[name])
	}
	return append(dst, '}')
}

// appendValue writes DynamoDB JSON: numbers are strings, binary is base64.
func appendValue(dst []byte, v types.AttributeValue) []byte {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		dst = es.AppendString(append(dst, `{"S":`...), v.Value)
	case *types.AttributeValueMemberN:
		dst = es.AppendString(append(dst, `{"N":`...), v.Value)
	case *types.AttributeValueMemberB:
		dst = es.AppendBytes(append(dst, `{"B":`...), v.Value)
	case *types.AttributeValueMemberBOOL:
		dst = strconv.AppendBool(append(dst, `{"BOOL":`...), v.Value)
	case *types.AttributeValueMemberNULL:
		dst = append(dst, `{"NULL":true`...)
	case *types.AttributeValueMemberSS:
		dst = appendList(append(dst, `{"SS":`...), v.Value, es.AppendString)
	case *types.AttributeValueMemberNS:
		dst = appendList(append(dst, `{"NS":`...), v.Value, es.AppendString)
	case *types.AttributeValueMemberBS:
		dst = appendList(append(dst, `{"BS":`...), v.Value, es.AppendBytes)
	case *types.AttributeValueMemberL:
		dst = appendList(append(dst, `{"L":`...), v.Value, appendValue)
	case *types.AttributeValueMemberM:
		dst = appendItem(append(dst, `{"M":`...), v.Value)
	default:
		dst = append(dst, '{')
	}
	return append(dst, '}')
}

func appendList[T any](dst []byte, list []T, one func([]byte, T) []byte) []byte {
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = one(dst, v)
	}
	return append(dst, ']')
}
