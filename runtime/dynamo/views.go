package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
)

func recordItem(t *ViewTable, r *es.Item, rebuild bool) item {
	i := item{attrKey: text(r.Key), attrGuard: number(r.Guard)}
	setNumber(i, attrVersion, r.Version)
	setText(i, attrState, r.State)
	setText(i, attrPayload, r.Payload)
	setText(i, attrHeld, r.Held)
	if r.Latest != (es.Moment{}) {
		setTime(i, attrLatestTime, r.Latest.Time)
		setText(i, attrLatestID, r.Latest.EntityID)
		setNumber(i, attrLatestVersion, r.Latest.Version)
	}
	if rebuild {
		i[attrRebuild] = &types.AttributeValueMemberBOOL{Value: true}
	}
	if r.Payload == "" {
		return i
	}
	for _, e := range r.Entries {
		i[attrIndexKey+e.Index] = text(indexKey(shardOf(r.Key, t.Shards), e.Key))
		i[attrIndexSort+e.Index] = &types.AttributeValueMemberB{Value: indexSort(e.Sort, r.Key)}
	}
	return i
}

// recordOf reads a record, or what an index projects of it. Its places in indexes are not
// taken back out of it: see placesOf.
func recordOf(i item) (*es.Item, error) {
	f := fields{item: i}
	r := &es.Item{
		Key: f.text(attrKey), Guard: f.number(attrGuard), Version: f.number(attrVersion),
		State: f.text(attrState), Payload: f.text(attrPayload), Held: f.text(attrHeld),
		Latest: es.Moment{Time: f.time(attrLatestTime), EntityID: f.text(attrLatestID), Version: f.number(attrLatestVersion)},
	}
	return r, f.err
}

// placesOf takes a record's places in indexes back out of its item: who loads a record and writes it
// again, as when its entity is held or freed, leaves it where it is.
func placesOf(t *ViewTable, i item) (places []es.IndexEntry, err error) {
	f := fields{item: i}
	for _, index := range t.Indexes {
		at := f.text(attrIndexKey + index)
		if at == "" {
			continue
		}
		key, ok := indexedValue(at)
		sort, whole := sortedValue(f.bytes(attrIndexSort + index))
		if !ok || !whole {
			f.fail(attrIndexKey + index)
		}
		places = append(places, es.IndexEntry{Index: index, Key: key, Sort: sort})
	}
	return places, f.err
}

func markerOf(i item) (*es.Marker, error) {
	f := fields{item: i}
	m := &es.Marker{EntityID: f.text(attrID), Position: f.number(attrPosition), State: f.text(attrState), Held: f.text(attrHeld)}
	return m, f.err
}

// Get implements es.ViewStore.
func (s *Store) Get(ctx context.Context, t es.Table, key string, strong bool) (*es.Item, error) {
	table := s.views[t]
	if table == nil || !isKey(key) {
		return nil, ctx.Err()
	}
	in := &dynamodb.GetItemInput{
		TableName: &table.Name, Key: item{attrKey: text(key)}, ConsistentRead: &strong,
		ReturnConsumedCapacity: s.wantCapacity(),
	}
	var out *dynamodb.GetItemOutput
	_, err := s.attempt(ctx, "get a record", func(ctx context.Context) (err error) {
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
	return recordOf(out.Item)
}
