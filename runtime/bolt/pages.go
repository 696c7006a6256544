package bolt

import (
	"bytes"
	"context"
	"fmt"

	bbolt "go.etcd.io/bbolt"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/internal/position"
)

// List implements es.ViewStore: by the bytes of the keys.
func (s *Store) List(ctx context.Context, t es.Table, page es.PageRequest) (answer es.ItemPage, err error) {
	list := append([]byte("list "), tableName(t)...)
	after, err := startPage(ctx, list, page)
	if err != nil {
		return es.ItemPage{}, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		answer = es.ItemPage{}
		table := openTable(tx, t)
		if table == nil {
			return nil
		}
		c := table.live.Cursor()
		k, v := c.Seek(after)
		if len(after) > 0 && bytes.Equal(k, after) {
			k, v = c.Next()
		}
		p := pageOf(list, page)
		for ; k != nil; k, v = c.Next() {
			item, err := decodeItem(string(k), v)
			if err != nil {
				return err
			}
			if !p.add(item, k) {
				break
			}
		}
		answer = p.page
		return nil
	})
	return answer, err
}

// Query implements es.ViewStore.
func (s *Store) Query(ctx context.Context, t es.Table, index, key string, desc bool, page es.PageRequest) (answer es.ItemPage, err error) {
	prefix := indexPrefix(index, key)
	list := fmt.Appendf(nil, "query %t %s %s", desc, tableName(t), prefix)
	after, err := startPage(ctx, list, page)
	if err != nil {
		return es.ItemPage{}, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		answer = es.ItemPage{}
		table := openTable(tx, t)
		if table == nil {
			return nil
		}
		p := pageOf(list, page)
		c := table.index.Cursor()
		step := c.Next
		if desc {
			step = c.Prev
		}
		for k := firstPlace(c, prefix, after, desc); bytes.HasPrefix(k, prefix); k, _ = step() {
			record, ok := recordOfIndexKey(k, len(prefix))
			if !ok {
				return errCorrupt
			}
			item, err := table.item(record)
			if err != nil {
				return err
			}
			if item == nil {
				return errCorrupt
			}
			if !p.add(item, k[len(prefix):]) {
				break
			}
		}
		answer = p.page
		return nil
	})
	return answer, err
}

// firstPlace moves the cursor to the first place of a page: the first of the prefix, or
// the one after a position, in the direction of the page.
func firstPlace(c *bbolt.Cursor, prefix, after []byte, desc bool) (k []byte) {
	from := append(bytes.Clone(prefix), after...)
	if !desc {
		if k, _ = c.Seek(from); len(after) > 0 && bytes.Equal(k, from) {
			k, _ = c.Next()
		}
		return k
	}
	if len(after) == 0 {
		from = beyond(prefix)
	}
	if from == nil {
		k, _ = c.Last()
	} else if k, _ = c.Seek(from); k == nil {
		k, _ = c.Last()
	} else {
		k, _ = c.Prev()
	}
	return k
}

// beyond is the least key above all that begin with a prefix; nil if there is none.
func beyond(prefix []byte) []byte {
	b := bytes.Clone(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return b[:i+1]
		}
	}
	return nil
}

func startPage(ctx context.Context, list []byte, page es.PageRequest) (after []byte, err error) {
	if err := ctx.Err(); err != nil || page.After == "" {
		return nil, err
	}
	if after, err = position.Open(list, page.After); err == nil && len(after) == 0 {
		err = es.ErrCursor
	}
	return after, err
}

// pageBuilder fills a page up to its bounds.
type pageBuilder struct {
	list  []byte
	limit int
	size  int
	last  []byte // position of the last item
	page  es.ItemPage
}

func pageOf(list []byte, page es.PageRequest) *pageBuilder {
	return &pageBuilder{list: list, limit: max(page.Limit, 1)}
}

// add takes the next item, or ends the page with its Next and reports false.
func (p *pageBuilder) add(item *es.Item, at []byte) bool {
	p.size += len(item.Key) + len(item.Payload)
	if n := len(p.page.Items); n == p.limit || n > 0 && p.size > maxPage {
		p.page.Next = position.Seal(p.list, p.last)
		return false
	}
	p.page.Items = append(p.page.Items, *item)
	p.last = bytes.Clone(at)
	return true
}
