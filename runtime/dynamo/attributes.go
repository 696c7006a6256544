package dynamo

import (
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
)

// Names of attributes. All begin with "_", so that none is ever one of DynamoDB's reserved
// words or, in a table that somebody else adds to, one of theirs. They are in tables: frozen.
const (
	attrID            = "_id"      // events: entity, partition key; progress: entry or entity, sort key
	attrVersion       = "_version" // events: sort key; views: last listed event folded
	attrEventID       = "_eventId"
	attrFormat        = "_format"
	attrType          = "_type"
	attrRevision      = "_revision"
	attrTime          = "_time"
	attrState         = "_state"
	attrDigest        = "_digest"
	attrPayload       = "_payload"
	attrCorrelationID = "_correlationId"
	attrCausationID   = "_causationId"
	attrActor         = "_actor"

	attrKey           = "_key" // views: partition key
	attrGuard         = "_guard"
	attrHeld          = "_held"
	attrLatestTime    = "_latestTime"
	attrLatestID      = "_latestId"
	attrLatestVersion = "_latestVersion"
	attrRebuild       = "_rebuild" // the change was made by a rebuild
	attrIndexKey      = "_k."      // and the index's name: partition key of its GSI
	attrIndexSort     = "_s."      // likewise, its sort key

	attrPart     = "_part" // progress: partition key
	attrValue    = "_value"
	attrExpires  = "_expires" // seconds; the table's TTL
	attrPosition = "_position"
)

// MaxItem is the largest item in bytes, names of attributes included.
const MaxItem = 400 << 10

// maxKey is how many bytes an id or a record's key has at most: 256 characters, and what a
// sort key takes.
const maxKey = 1024

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func setText(i item, name, s string) {
	if s != "" {
		i[name] = text(s)
	}
}

func setNumber(i item, name string, n int64) {
	if n != 0 {
		i[name] = number(n)
	}
}

// setTime keeps an instant to the nanosecond, in UTC.
func setTime(i item, name string, t time.Time) {
	i[name] = text(t.UTC().Format(time.RFC3339Nano))
}

// fields takes attributes out of an item; the first that is not what it should be makes err
// stick. An attribute that is absent is the zero value.
type fields struct {
	item item
	err  error
}

func (f *fields) fail(name string) {
	if f.err == nil {
		f.err = errForeign(name)
	}
}

func errForeign(name string) error {
	return fmt.Errorf("dynamo: %w: the attribute %s is not what this program writes", es.ErrDamaged, name)
}

func (f *fields) text(name string) string {
	switch v := f.item[name].(type) {
	case nil:
		return ""
	case *types.AttributeValueMemberS:
		return v.Value
	}
	f.fail(name)
	return ""
}

func (f *fields) bytes(name string) []byte {
	switch v := f.item[name].(type) {
	case nil:
		return nil
	case *types.AttributeValueMemberB:
		return v.Value
	}
	f.fail(name)
	return nil
}

func (f *fields) number(name string) int64 {
	switch v := f.item[name].(type) {
	case nil:
		return 0
	case *types.AttributeValueMemberN:
		if n, err := strconv.ParseInt(v.Value, 10, 64); err == nil {
			return n
		}
	}
	f.fail(name)
	return 0
}

func (f *fields) time(name string) time.Time {
	s := f.text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		f.fail(name)
	}
	return t.UTC()
}

// sizeOf is about what DynamoDB counts for an item.
func sizeOf(i item) (size int) {
	for name, value := range i {
		size += len(name)
		switch v := value.(type) {
		case *types.AttributeValueMemberS:
			size += len(v.Value)
		case *types.AttributeValueMemberB:
			size += len(v.Value)
		case *types.AttributeValueMemberN:
			size += len(v.Value)/2 + 2
		default:
			size++
		}
	}
	return size
}

// isKey reports whether a text can be a key at all. Text that is not UTF-8 would arrive as
// another one.
func isKey(s string) bool { return s != "" && len(s) <= maxKey && utf8.ValidString(s) }

func checkKey(what, s string) error {
	if s == "" || len(s) > maxKey {
		return fmt.Errorf("dynamo: %s of %d bytes: it has 1 to %d", what, len(s), maxKey)
	}
	if !utf8.ValidString(s) {
		return errors.New("dynamo: " + what + " is not UTF-8")
	}
	return nil
}
