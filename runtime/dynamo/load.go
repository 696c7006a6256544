package dynamo

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
)

// address is the key of a record or a marker and where it goes in the answer of Load.
type address struct{ table, part, id string } // part "" in a view table

func (a address) key() item {
	if a.part == "" {
		return item{attrKey: text(a.id)}
	}
	return item{attrPart: text(a.part), attrID: text(a.id)}
}

// What a batch request takes, and how many Load has under way.
const (
	batchKeys    = 100
	batchesAtime = 4
)

// Load implements es.ViewStore: one BatchGetItem for each 100 records and markers, of
// whatever tables.
func (s *Store) Load(ctx context.Context, reads []es.ViewRead) ([]es.ViewRows, error) {
	var wanted []address
	seen := map[address]bool{}
	want := func(a address) {
		if isKey(a.id) && !seen[a] { // DynamoDB refuses a key that is named twice
			seen[a] = true
			wanted = append(wanted, a)
		}
	}
	for _, read := range reads {
		if table := s.views[read.Table]; table != nil {
			for _, key := range read.Keys {
				want(address{table: table.Name, id: key})
			}
			for _, id := range read.Markers {
				want(s.markerAddress(read.Table, id))
			}
		}
	}
	found, err := s.fetchAll(ctx, wanted)
	if err != nil {
		return nil, err
	}
	return s.rowsOf(reads, found), nil
}

func (s *Store) rowsOf(reads []es.ViewRead, found map[address]item) []es.ViewRows {
	answer := make([]es.ViewRows, len(reads))
	for i, read := range reads {
		rows := es.ViewRows{Items: make(map[string]*es.Item, len(read.Keys)), Markers: make(map[string]*es.Marker, len(read.Markers))}
		if table := s.views[read.Table]; table != nil {
			for _, key := range read.Keys {
				if stored := found[address{table: table.Name, id: key}]; stored != nil {
					r, err := recordOf(stored)
					if err == nil {
						r.Entries, err = placesOf(table, stored)
					}
					if err != nil {
						r = &es.Item{Key: key, Damage: err}
					}
					rows.Items[key] = r
				}
			}
			for _, id := range read.Markers {
				if stored := found[s.markerAddress(read.Table, id)]; stored != nil {
					m, err := markerOf(stored)
					if err != nil {
						m = &es.Marker{EntityID: id, Damage: err}
					}
					rows.Markers[id] = m
				}
			}
		}
		answer[i] = rows
	}
	return answer
}

// fetchAll reads items strongly, several batches at a time when there is more than one.
func (s *Store) fetchAll(ctx context.Context, wanted []address) (map[address]item, error) {
	found := make(map[address]item, len(wanted))
	if len(wanted) == 0 {
		return found, ctx.Err()
	}
	if len(wanted) <= batchKeys {
		return found, s.fetch(ctx, wanted, func(a address, i item) { found[a] = i })
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var wait sync.WaitGroup
	free := make(chan struct{}, batchesAtime)
	for batch := range slices.Chunk(wanted, batchKeys) {
		free <- struct{}{}
		wait.Go(func() {
			defer func() { <-free }()
			err := s.fetch(ctx, batch, func(a address, i item) {
				mu.Lock()
				defer mu.Unlock()
				found[a] = i
			})
			if err != nil {
				cancel(err)
			}
		})
	}
	wait.Wait()
	return found, context.Cause(ctx)
}

// fetch reads at most 100 items. What DynamoDB leaves over, because the answer reached 16 MB or for
// want of capacity, is asked for again.
func (s *Store) fetch(ctx context.Context, wanted []address, take func(address, item)) error {
	request := map[string]types.KeysAndAttributes{}
	for _, a := range wanted {
		t := request[a.table]
		t.ConsistentRead = aws.Bool(true)
		t.Keys = append(t.Keys, a.key())
		request[a.table] = t
	}
	for idle := 0; len(request) > 0; {
		in := &dynamodb.BatchGetItemInput{RequestItems: request, ReturnConsumedCapacity: s.wantCapacity()}
		var out *dynamodb.BatchGetItemOutput
		_, err := s.attempt(ctx, "read records", func(ctx context.Context) (err error) {
			out, err = s.client.BatchGetItem(ctx, in)
			return err
		})
		if err != nil {
			return err
		}
		s.consumed("BatchGetItem", out.ConsumedCapacity...)
		got := 0
		for table, items := range out.Responses {
			got += len(items)
			for _, i := range items {
				f := fields{item: i}
				a := address{table: table, part: f.text(attrPart), id: f.text(attrKey)}
				if a.part != "" {
					a.id = f.text(attrID)
				}
				if f.err != nil {
					return f.err
				}
				take(a, i)
			}
		}
		if request = out.UnprocessedKeys; len(request) == 0 {
			return nil
		}
		if got > 0 {
			idle = 0
			continue
		}
		if idle++; idle >= s.attempts || !s.pause(ctx, idle) {
			return fmt.Errorf("%w: read records: keys are left over", es.ErrThrottled)
		}
	}
	return nil
}
