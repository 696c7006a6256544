package dynamo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
)

// eventFormat is the number of the layout of an event item. A program reads all up to its own.
const eventFormat = 1

func eventItem(e *es.Recorded) item {
	i := item{
		attrID: text(e.EntityID), attrVersion: number(e.Version), attrEventID: text(e.EventID),
		attrFormat: number(eventFormat), attrRevision: number(int64(e.Revision)),
	}
	setText(i, attrType, e.Type)
	setTime(i, attrTime, e.Time)
	setText(i, attrState, e.State)
	setText(i, attrDigest, e.Digest)
	setText(i, attrPayload, e.Payload)
	setText(i, attrCorrelationID, e.CorrelationID)
	setText(i, attrCausationID, e.CausationID)
	setText(i, attrActor, e.Actor)
	return i
}

func eventOf(i item) (*es.Recorded, error) {
	f := fields{item: i}
	if n := f.number(attrFormat); n < 1 || n > eventFormat {
		return nil, errFormat(n)
	}
	e := &es.Recorded{
		EntityID: f.text(attrID), Version: f.number(attrVersion), EventID: f.text(attrEventID),
		Type: f.text(attrType), Revision: int(f.number(attrRevision)), Time: f.time(attrTime),
		State: f.text(attrState), Digest: f.text(attrDigest), Payload: f.text(attrPayload),
		CorrelationID: f.text(attrCorrelationID), CausationID: f.text(attrCausationID), Actor: f.text(attrActor),
	}
	return e, f.err
}

func errFormat(n int64) error {
	return fmt.Errorf("dynamo: %w: an event item has format %d, this program reads 1 to %d: use the esgen that wrote it", es.ErrDamaged, n, eventFormat)
}

// Head implements es.EventStore: one strong query of one item, backwards.
func (s *Store) Head(ctx context.Context, entityID string) (*es.Recorded, error) {
	if !isKey(entityID) {
		return nil, ctx.Err()
	}
	events, _, err := s.queryEvents(ctx, "read the head", &dynamodb.QueryInput{
		TableName:                 &s.tables.Events,
		KeyConditionExpression:    aws.String("#id = :id"),
		ExpressionAttributeNames:  map[string]string{"#id": attrID},
		ExpressionAttributeValues: item{":id": text(entityID)},
		ConsistentRead:            aws.Bool(true),
		ScanIndexForward:          aws.Bool(false),
		Limit:                     aws.Int32(1),
	})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	return &events[0], nil
}

// Lookup implements es.EventStore: one strong query of the local index, which gets what the
// index does not have from the table.
func (s *Store) Lookup(ctx context.Context, entityID, eventID string) (*es.Recorded, error) {
	if !isKey(entityID) || !isKey(eventID) {
		return nil, ctx.Err()
	}
	events, _, err := s.queryEvents(ctx, "look up an event id", &dynamodb.QueryInput{
		TableName:                 &s.tables.Events,
		IndexName:                 aws.String(byEvent),
		KeyConditionExpression:    aws.String("#id = :id AND #event = :event"),
		ExpressionAttributeNames:  map[string]string{"#id": attrID, "#event": attrEventID},
		ExpressionAttributeValues: item{":id": text(entityID), ":event": text(eventID)},
		Select:                    types.SelectAllAttributes,
		ConsistentRead:            aws.Bool(true),
		Limit:                     aws.Int32(1),
	})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	return &events[0], nil
}

// Put implements es.EventStore. An occupied slot answers with the occupant at no further cost.
func (s *Store) Put(ctx context.Context, event *es.Recorded) (*es.Recorded, error) {
	if err := checkKey("an entity id", event.EntityID); err != nil {
		return nil, err
	}
	if err := checkKey("an event id", event.EventID); err != nil {
		return nil, err
	}
	if event.Version < 1 {
		return nil, fmt.Errorf("dynamo: put version %d: versions count from 1", event.Version)
	}
	i := eventItem(event)
	// The entry of the local index counts too.
	if n := sizeOf(i) + len(event.EntityID) + len(event.EventID) + 100; n > MaxItem {
		return nil, fmt.Errorf("%w: an event of %d bytes, at most %d", es.ErrTooLarge, n, MaxItem)
	}
	in := &dynamodb.PutItemInput{
		TableName: &s.tables.Events, Item: i,
		ConditionExpression:      aws.String("attribute_not_exists(#id)"),
		ExpressionAttributeNames: map[string]string{"#id": attrID},
	}
	if s.nearFull != nil {
		in.ReturnItemCollectionMetrics = types.ReturnItemCollectionMetricsSize
	}
	old, err := s.put(ctx, "put an event", in)
	switch {
	case !errors.Is(err, es.ErrConflict):
		return nil, err
	case old == nil:
		return nil, errors.New("dynamo: put an event: the slot is taken, and the occupant was not returned")
	}
	return eventOf(old)
}

// put writes an item on a condition. When that does not hold, the error is es.ErrConflict and
// old is the item that stands there, nil if there is none. If an earlier try, whose answer was
// lost, has written the item, it is written.
func (s *Store) put(ctx context.Context, operation string, in *dynamodb.PutItemInput) (old item, err error) {
	in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	in.ReturnConsumedCapacity = s.wantCapacity()
	var out *dynamodb.PutItemOutput
	unsure, err := s.attempt(ctx, operation, func(ctx context.Context) (err error) {
		out, err = s.client.PutItem(ctx, in)
		return err
	})
	if err == nil {
		s.consumedOne("PutItem", out.ConsumedCapacity)
		s.watchSize(out.ItemCollectionMetrics)
		return nil, nil
	}
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		if unsure && sameItem(failed.Item, in.Item) {
			return nil, nil
		}
		return failed.Item, err
	}
	return nil, err
}

// warnAbove is the size of a history, in gigabytes, from which NearFull is told.
const warnAbove = 5

// watchSize looks at DynamoDB's estimate of an entity's history.
func (s *Store) watchSize(m *types.ItemCollectionMetrics) {
	if s.nearFull == nil || m == nil || len(m.SizeEstimateRangeGB) == 0 {
		return
	}
	if least := m.SizeEstimateRangeGB[0]; least >= warnAbove {
		f := fields{item: m.ItemCollectionKey}
		s.nearFull(f.text(attrID), least)
	}
}

// sameItem compares items of texts, numbers, bytes and flags.
func sameItem(a, b item) bool {
	return maps.EqualFunc(a, b, func(x, y types.AttributeValue) bool {
		switch x := x.(type) {
		case *types.AttributeValueMemberS:
			y, ok := y.(*types.AttributeValueMemberS)
			return ok && x.Value == y.Value
		case *types.AttributeValueMemberN:
			y, ok := y.(*types.AttributeValueMemberN)
			return ok && x.Value == y.Value
		case *types.AttributeValueMemberB:
			y, ok := y.(*types.AttributeValueMemberB)
			return ok && string(x.Value) == string(y.Value)
		case *types.AttributeValueMemberBOOL:
			y, ok := y.(*types.AttributeValueMemberBOOL)
			return ok && x.Value == y.Value
		}
		return false
	})
}

// Read implements es.EventStore. It asks for one event more than the limit, to know whether
// there is one.
func (s *Store) Read(ctx context.Context, entityID string, after int64, limit int) (events []es.Recorded, more bool, err error) {
	if !isKey(entityID) {
		return nil, false, ctx.Err()
	}
	limit = max(limit, 1)
	events, cut, err := s.readAfter(ctx, entityID, after, min(limit, math.MaxInt32-1)+1)
	if err != nil {
		return nil, false, err
	}
	if len(events) > limit {
		return events[:limit], true, nil
	}
	if !cut || len(events) == 0 {
		return events, false, nil
	}
	// The page ended at 1 MB, perhaps with the last event.
	next, _, err := s.readAfter(ctx, entityID, events[len(events)-1].Version, 1)
	if err != nil {
		return nil, false, err
	}
	return events, len(next) > 0, nil
}

// readAfter reads a page; cut says that it ended before the limit and the history did.
func (s *Store) readAfter(ctx context.Context, entityID string, after int64, limit int) (events []es.Recorded, cut bool, err error) {
	return s.queryEvents(ctx, "read events", &dynamodb.QueryInput{
		TableName:                 &s.tables.Events,
		KeyConditionExpression:    aws.String("#id = :id AND #version > :after"),
		ExpressionAttributeNames:  map[string]string{"#id": attrID, "#version": attrVersion},
		ExpressionAttributeValues: item{":id": text(entityID), ":after": number(after)},
		ConsistentRead:            aws.Bool(true),
		Limit:                     aws.Int32(int32(limit)),
	})
}
