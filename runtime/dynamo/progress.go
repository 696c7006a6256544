package dynamo

import (
	"context"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	es "github.com/esgen/esgen/runtime"
)

func entryItem(e *es.Entry) item {
	i := item{attrPart: text(entryPart(e.Part)), attrID: text(e.ID), attrGuard: number(e.Guard)}
	setText(i, attrValue, e.Value)
	if !e.Expires.IsZero() {
		i[attrExpires] = number(seconds(e.Expires))
	}
	return i
}

// seconds is the unit of a table's time to live. A fraction is rounded up: an entry lives
// no shorter than it was asked to.
func seconds(t time.Time) int64 {
	n := t.Unix()
	if t.Nanosecond() > 0 {
		n++
	}
	return n
}

func entryOf(part string, i item) (*es.Entry, error) {
	f := fields{item: i}
	e := &es.Entry{Part: part, ID: f.text(attrID), Guard: f.number(attrGuard), Value: f.text(attrValue)}
	if n := f.number(attrExpires); n != 0 {
		e.Expires = time.Unix(n, 0).UTC()
	}
	if f.err != nil {
		return nil, fmt.Errorf("the entry %q of %s: %w", e.ID, part, f.err)
	}
	return e, nil
}

// maxPart bounds a part in bytes.
const maxPart = es.MaxEntryID / 2

func isPart(part string) bool { return len(part) <= maxPart && utf8.ValidString(part) }

// expired entries are absent; DynamoDB deletes them within days.
func (s *Store) expired(e *es.Entry) bool {
	return !e.Expires.IsZero() && !s.clock().Before(e.Expires)
}

// Progress implements es.ProgressStore with a strong read.
func (s *Store) Progress(ctx context.Context, part, id string) (*es.Entry, error) {
	if !isPart(part) || !isKey(id) {
		return nil, ctx.Err()
	}
	in := &dynamodb.GetItemInput{
		TableName: &s.tables.Progress, Key: item{attrPart: text(entryPart(part)), attrID: text(id)},
		ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: s.wantCapacity(),
	}
	var out *dynamodb.GetItemOutput
	_, err := s.attempt(ctx, "read an entry", func(ctx context.Context) (err error) {
		out, err = s.client.GetItem(ctx, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.consumedOne("GetItem", out.ConsumedCapacity)
	if len(out.Item) == 0 {
		return nil, nil
	}
	e, err := entryOf(part, out.Item)
	if err != nil || s.expired(e) {
		return nil, err
	}
	return e, nil
}

// ListProgress implements es.ProgressStore with strong queries.
func (s *Store) ListProgress(ctx context.Context, part, after string, limit int) (entries []es.Entry, err error) {
	if !isPart(part) {
		return nil, ctx.Err()
	}
	beyond := after
	for len(after) > maxKey || !utf8.ValidString(after) {
		after = after[:len(after)-1] // what DynamoDB takes; ids between the two are passed over below
	}
	limit = min(max(limit, 1), math.MaxInt32)
	for {
		in := &dynamodb.QueryInput{
			TableName:                 &s.tables.Progress,
			KeyConditionExpression:    aws.String("#part = :part"),
			ExpressionAttributeNames:  map[string]string{"#part": attrPart},
			ExpressionAttributeValues: item{":part": text(entryPart(part))},
			ConsistentRead:            aws.Bool(true),
			Limit:                     aws.Int32(int32(limit - len(entries))),
		}
		if after != "" {
			in.KeyConditionExpression = aws.String("#part = :part AND #id > :after")
			in.ExpressionAttributeNames["#id"] = attrID
			in.ExpressionAttributeValues[":after"] = text(after)
		}
		out, err := s.query(ctx, "list entries", in)
		if err != nil {
			return nil, err
		}
		for _, stored := range out.Items {
			e, err := entryOf(part, stored)
			if err != nil {
				return nil, err
			}
			if after = e.ID; after > beyond && !s.expired(e) {
				entries = append(entries, *e)
			}
		}
		if len(entries) == limit || len(out.LastEvaluatedKey) == 0 {
			return entries, nil
		}
	}
}

// PutProgress implements es.ProgressStore.
func (s *Store) PutProgress(ctx context.Context, was int64, entry es.Entry) error {
	if !isPart(entry.Part) {
		return fmt.Errorf("dynamo: a part of %d bytes: it has at most %d, of UTF-8", len(entry.Part), maxPart)
	}
	if err := checkKey("the id of an entry", entry.ID); err != nil {
		return err
	}
	if entry.Guard < 1 || was < -1 {
		return fmt.Errorf("dynamo: an entry moves from %d to %d: guards are above 0", was, entry.Guard)
	}
	in := &dynamodb.PutItemInput{TableName: &s.tables.Progress, Item: entryItem(&entry)}
	if n := sizeOf(in.Item); n > MaxItem {
		return fmt.Errorf("%w: an entry of %d bytes, at most %d", es.ErrTooLarge, n, MaxItem)
	}
	now := number(s.clock().Unix())
	switch {
	case was == 0:
		in.ConditionExpression = aws.String("attribute_not_exists(#guard) OR #expires <= :now")
		in.ExpressionAttributeNames = map[string]string{"#guard": attrGuard, "#expires": attrExpires}
		in.ExpressionAttributeValues = item{":now": now}
	case was > 0:
		in.ConditionExpression = aws.String("#guard = :was AND (attribute_not_exists(#expires) OR #expires > :now)")
		in.ExpressionAttributeNames = map[string]string{"#guard": attrGuard, "#expires": attrExpires}
		in.ExpressionAttributeValues = item{":was": number(was), ":now": now}
	}
	_, err := s.put(ctx, "write an entry", in)
	return err
}

// DeleteProgress implements es.ProgressStore.
func (s *Store) DeleteProgress(ctx context.Context, part, id string) error {
	if !isPart(part) || !isKey(id) {
		return ctx.Err()
	}
	in := &dynamodb.DeleteItemInput{
		TableName: &s.tables.Progress, Key: item{attrPart: text(entryPart(part)), attrID: text(id)},
		ReturnConsumedCapacity: s.wantCapacity(),
	}
	var out *dynamodb.DeleteItemOutput
	_, err := s.attempt(ctx, "delete an entry", func(ctx context.Context) (err error) {
		out, err = s.client.DeleteItem(ctx, in)
		return err
	})
	if err == nil {
		s.consumedOne("DeleteItem", out.ConsumedCapacity)
	}
	return err
}
