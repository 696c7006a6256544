package dynamo

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/position"
)

// maxPage is about how many bytes a page of anything holds.
const maxPage = 1 << 20

// maxScan is how many items a request of a scan looks at, at most; it ends at 1 MB anyway.
const maxScan = 2000

// pageBuilder fills a page up to its bounds.
type pageBuilder struct {
	list  []byte
	limit int
	size  int
	last  []byte // position of the last item
	page  es.ItemPage
}

func startPage(ctx context.Context, list []byte, request es.PageRequest) (p *pageBuilder, err error) {
	p = &pageBuilder{list: list, limit: max(request.Limit, 1)}
	if request.After != "" {
		if p.last, err = position.Open(list, request.After); err == nil && len(p.last) == 0 {
			err = es.ErrCursor
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	return p, err
}

// wants is how many items the page may still look at: those it takes, and one that says that
// there are more.
func (p *pageBuilder) wants() int { return min(p.limit-len(p.page.Items)+1, maxScan) }

// add takes the next item, or ends the page with its Next and reports false.
func (p *pageBuilder) add(r *es.Item, at []byte) bool {
	p.size += len(r.Key) + len(r.Payload)
	if n := len(p.page.Items); n == p.limit || n > 0 && p.size > maxPage {
		p.page.Next = position.Seal(p.list, p.last)
		return false
	}
	p.page.Items = append(p.page.Items, *r)
	p.last = at
	return true
}

// List implements es.ViewStore: a scan, eventually consistent, until the page is full and one
// more record is seen, or to the end of the table. Requests grow while they find tombstones only.
func (s *Store) List(ctx context.Context, t es.Table, request es.PageRequest) (es.ItemPage, error) {
	p, err := startPage(ctx, fmt.Appendf(nil, "list %s/%d", t.View, t.Revision), request)
	if err != nil {
		return es.ItemPage{}, err
	}
	table := s.views[t]
	if table == nil {
		return es.ItemPage{}, nil
	}
	var from item
	if p.last != nil {
		from = item{attrKey: text(string(p.last))}
	}
	for limit := p.wants(); ; limit = min(4*limit, maxScan) {
		out, err := s.scan(ctx, "list records", &dynamodb.ScanInput{
			TableName: &table.Name, ExclusiveStartKey: from, Limit: aws.Int32(int32(limit)),
			FilterExpression:         aws.String("attribute_exists(#payload)"),
			ExpressionAttributeNames: map[string]string{"#payload": attrPayload},
		})
		if err != nil {
			return es.ItemPage{}, err
		}
		for _, stored := range out.Items {
			r, err := recordOf(stored)
			if err != nil {
				return es.ItemPage{}, err
			}
			if !p.add(r, []byte(r.Key)) {
				return p.page, nil
			}
		}
		if from = out.LastEvaluatedKey; len(from) == 0 {
			return p.page, nil
		}
	}
}

// Query implements es.ViewStore: the shards of the index's value, read beside each other and
// merged. All are in one order without equals, so one place is the position in each.
func (s *Store) Query(ctx context.Context, t es.Table, index, key string, desc bool, request es.PageRequest) (es.ItemPage, error) {
	list := fmt.Appendf(nil, "query %t %s/%d %s=%s", desc, t.View, t.Revision, index, key)
	p, err := startPage(ctx, list, request)
	if err != nil {
		return es.ItemPage{}, err
	}
	table := s.views[t]
	if table == nil || !slices.Contains(table.Indexes, index) || len(key) > es.MaxPlace {
		return es.ItemPage{}, nil
	}
	m := &merge{store: s, table: table, index: index, desc: desc, wants: shareOf(p.wants(), table.Shards)}
	for shard := range table.Shards {
		m.shards = append(m.shards, shardReader{key: indexKey(shard, key), after: p.last})
	}
	if err := m.start(ctx); err != nil {
		return es.ItemPage{}, err
	}
	for {
		stored, at, err := m.next(ctx)
		if err != nil {
			return es.ItemPage{}, err
		}
		if stored == nil {
			return p.page, nil
		}
		r, err := recordOf(stored)
		if err != nil {
			return es.ItemPage{}, err
		}
		if !p.add(r, at) {
			return p.page, nil
		}
	}
}

// shareOf is how many items a page of so many asks of each shard: what most shards have of
// them, since a small item more costs less than another request.
func shareOf(items, shards int) int {
	if shards == 1 {
		return items
	}
	mean := float64(items) / float64(shards)
	return min(int(mean+2*math.Sqrt(mean))+1, items)
}

// merge reads the shards of one value of an index in their common order.
type merge struct {
	store  *Store
	table  *ViewTable
	index  string
	desc   bool
	wants  int // items of a shard that a request asks for
	shards []shardReader
}

// shardReader is what has been read of a shard and not been taken.
type shardReader struct {
	key   string
	after []byte // the place up to which it has been read
	items []item
	ended bool
}

// start reads the first items of all shards at once.
func (m *merge) start(ctx context.Context) error {
	if len(m.shards) == 1 {
		return m.fill(ctx, &m.shards[0])
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	for i := range m.shards {
		wait.Go(func() {
			if err := m.fill(ctx, &m.shards[i]); err != nil {
				cancel(err)
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

// next takes the first item of all shards, nil at the end.
func (m *merge) next(ctx context.Context) (first item, at []byte, err error) {
	from := -1
	for i := range m.shards {
		r := &m.shards[i]
		if err := m.fill(ctx, r); err != nil {
			return nil, nil, err
		}
		if len(r.items) == 0 {
			continue
		}
		place := placeOf(r.items[0], m.index)
		if from < 0 || (bytes.Compare(place, at) < 0) != m.desc {
			from, first, at = i, r.items[0], place
		}
	}
	if from >= 0 {
		m.shards[from].items = m.shards[from].items[1:]
	}
	return first, at, nil
}

func placeOf(i item, index string) []byte {
	if b, ok := i[attrIndexSort+index].(*types.AttributeValueMemberB); ok {
		return b.Value
	}
	return nil
}

// fill reads on in a shard of which nothing is left.
func (m *merge) fill(ctx context.Context, r *shardReader) error {
	for len(r.items) == 0 && !r.ended {
		in := &dynamodb.QueryInput{
			TableName: &m.table.Name, IndexName: aws.String(indexName(m.index)),
			KeyConditionExpression:    aws.String("#key = :key"),
			ExpressionAttributeNames:  map[string]string{"#key": attrIndexKey + m.index},
			ExpressionAttributeValues: item{":key": text(r.key)},
			ScanIndexForward:          aws.Bool(!m.desc), Limit: aws.Int32(int32(m.wants)),
		}
		if r.after != nil {
			condition := "#key = :key AND #sort > :after"
			if m.desc {
				condition = "#key = :key AND #sort < :after"
			}
			in.KeyConditionExpression = &condition
			in.ExpressionAttributeNames["#sort"] = attrIndexSort + m.index
			in.ExpressionAttributeValues[":after"] = &types.AttributeValueMemberB{Value: r.after}
		}
		out, err := m.store.query(ctx, "read an index", in)
		if err != nil {
			return err
		}
		r.items, r.ended = out.Items, len(out.LastEvaluatedKey) == 0
		if n := len(r.items); n > 0 {
			r.after = placeOf(r.items[n-1], m.index)
		}
	}
	return nil
}
