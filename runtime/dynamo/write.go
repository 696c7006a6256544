package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
)

// recordWrite is the write of a record on its condition.
func (s *Store) recordWrite(t *ViewTable, w *es.ItemWrite, rebuild bool) types.TransactWriteItem {
	condition := "#guard = :was"
	names := map[string]string{"#guard": attrGuard}
	if w.Was == 0 {
		condition = "attribute_not_exists(#key) OR #guard = :was"
		names["#key"] = attrKey
	}
	return types.TransactWriteItem{Put: &types.Put{
		TableName: &t.Name, Item: recordItem(t, &w.Item, rebuild), ConditionExpression: &condition,
		ExpressionAttributeNames: names, ExpressionAttributeValues: item{":was": number(w.Was)},
	}}
}

// markerWrite is the write of a marker on its condition. One that does not move keeps its
// state, so it is an update.
func (s *Store) markerWrite(t es.Table, w *es.MarkerWrite) types.TransactWriteItem {
	condition := "#position = :was"
	names := map[string]string{"#position": attrPosition, "#state": attrState, "#held": attrHeld}
	if w.Was == 0 {
		condition = "attribute_not_exists(#part) OR #position = :was"
		names["#part"] = attrPart
	}
	set := "SET #position = :to, #held = :held, #state = :state"
	if w.Marker.Position == w.Was {
		set = "SET #position = :to, #held = :held, #state = if_not_exists(#state, :state)"
	}
	a := s.markerAddress(t, w.Marker.EntityID)
	return types.TransactWriteItem{Update: &types.Update{
		TableName: &s.tables.Progress, Key: a.key(), ConditionExpression: &condition, UpdateExpression: &set,
		ExpressionAttributeNames: names,
		ExpressionAttributeValues: item{
			":was": number(w.Was), ":to": number(w.Marker.Position),
			":held": text(w.Marker.Held), ":state": text(w.Marker.State),
		},
	}}
}

// Write implements es.ViewStore: a conditional put or update for one item, a transaction for more.
func (s *Store) Write(ctx context.Context, step es.Step) error {
	if len(step.Records)+len(step.Markers) == 0 {
		return ctx.Err()
	}
	t := s.views[step.Table]
	if t == nil {
		return fmt.Errorf("dynamo: the program was not told the table of revision %d of the view %s", step.Table.Revision, step.Table.View)
	}
	writes, err := s.writesOf(t, &step)
	if err != nil {
		return err
	}
	if len(writes) > 1 {
		return s.transact(ctx, writes)
	}
	if p := writes[0].Put; p != nil {
		_, err := s.put(ctx, "write a record", &dynamodb.PutItemInput{
			TableName: p.TableName, Item: p.Item, ConditionExpression: p.ConditionExpression,
			ExpressionAttributeNames: p.ExpressionAttributeNames, ExpressionAttributeValues: p.ExpressionAttributeValues,
		})
		return err
	}
	return s.update(ctx, writes[0].Update)
}

// update moves one marker. If an earlier try, whose answer was lost, has moved it, it is moved.
func (s *Store) update(ctx context.Context, u *types.Update) error {
	in := &dynamodb.UpdateItemInput{
		TableName: u.TableName, Key: u.Key, ConditionExpression: u.ConditionExpression, UpdateExpression: u.UpdateExpression,
		ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
		ReturnConsumedCapacity:              s.wantCapacity(),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	var out *dynamodb.UpdateItemOutput
	unsure, err := s.attempt(ctx, "move a marker", func(ctx context.Context) (err error) {
		out, err = s.client.UpdateItem(ctx, in)
		return err
	})
	if err == nil {
		s.consumedOne("UpdateItem", out.ConsumedCapacity)
		return nil
	}
	if failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok && unsure {
		want := fields{item: u.ExpressionAttributeValues}
		is := fields{item: failed.Item}
		if is.number(attrPosition) == want.number(":to") && is.text(attrHeld) == want.text(":held") {
			return nil
		}
	}
	return err
}

// transact writes all or nothing. The token makes tries of one call one transaction: what
// an earlier try has committed is not refused by its own conditions.
func (s *Store) transact(ctx context.Context, writes []types.TransactWriteItem) error {
	in := &dynamodb.TransactWriteItemsInput{
		TransactItems: writes, ClientRequestToken: aws.String(es.NewUUID(time.Now()).String()),
		ReturnConsumedCapacity: s.wantCapacity(),
	}
	var out *dynamodb.TransactWriteItemsOutput
	_, err := s.attempt(ctx, "write a step", func(ctx context.Context) (err error) {
		out, err = s.client.TransactWriteItems(ctx, in)
		return err
	})
	if err == nil {
		s.consumed("TransactWriteItems", out.ConsumedCapacity...)
	}
	return err
}

// What a transaction takes.
const (
	maxStepItems = 100
	maxStepBytes = 4 << 20
)

// writesOf makes the writes of a step and refuses what could never be written.
func (s *Store) writesOf(t *ViewTable, step *es.Step) ([]types.TransactWriteItem, error) {
	n := len(step.Records) + len(step.Markers)
	if n > maxStepItems {
		return nil, fmt.Errorf("%w: a step of %d items, at most %d", es.ErrTooLarge, n, maxStepItems)
	}
	writes := make([]types.TransactWriteItem, 0, n)
	total := 0
	seen := make(map[string]bool, n)
	for i := range step.Records {
		w := &step.Records[i]
		if err := checkWrite("record", w.Item.Key, w.Was, w.Item.Guard, seen); err != nil {
			return nil, err
		}
		for _, e := range w.Item.Entries {
			if len(e.Key) > es.MaxPlace || len(e.Sort) > es.MaxPlace {
				return nil, fmt.Errorf("%w: a place in the index %s of %d and %d bytes, at most %d each", es.ErrTooLarge, e.Index, len(e.Key), len(e.Sort), es.MaxPlace)
			}
		}
		write := s.recordWrite(t, w, step.Rebuild)
		size := sizeOf(write.Put.Item)
		if size > MaxItem {
			return nil, fmt.Errorf("%w: a record of %d bytes, at most %d", es.ErrTooLarge, size, MaxItem)
		}
		total += size
		writes = append(writes, write)
	}
	for i := range step.Markers {
		w := &step.Markers[i]
		if err := checkWrite("marker", w.Marker.EntityID, w.Was, w.Marker.Position, seen); err != nil {
			return nil, err
		}
		write := s.markerWrite(step.Table, w)
		total += sizeOf(write.Update.Key) + sizeOf(write.Update.ExpressionAttributeValues)
		writes = append(writes, write)
	}
	if total > maxStepBytes {
		return nil, fmt.Errorf("%w: a step of %d bytes, at most %d", es.ErrTooLarge, total, maxStepBytes)
	}
	return writes, nil
}

func checkWrite(what, key string, was, guard int64, seen map[string]bool) error {
	if err := checkKey("the key of a "+what, key); err != nil {
		return err
	}
	if was < 0 || guard < was {
		return fmt.Errorf("dynamo: a %s moves from %d to %d: guards are not negative and never fall", what, was, guard)
	}
	if seen[what+key] {
		return fmt.Errorf("dynamo: a step writes one %s twice", what)
	}
	seen[what+key] = true
	return nil
}
