package main

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// walk follows the Link of every page and returns the keys in their order; each
// page but the last has limit items, and next and Link agree.
func (c contract) walk(t *testing.T, target string, limit int, key string) []string {
	t.Helper()
	var keys []string
	for pages := 0; ; pages++ {
		a := c.get(t, target)
		items := a.items(t)
		for _, item := range items {
			keys = append(keys, text(item[key]))
		}
		next, more := a.json["next"].(string)
		if (a.header.Get("Link") != "") != more {
			t.Fatalf("GET %s: next %q, Link %q", target, next, a.header.Get("Link"))
		}
		if !more {
			if len(items) == 0 && pages > 0 {
				t.Errorf("GET %s: a page before said that more exist", target)
			}
			return keys
		}
		if len(items) != limit || pages > 10_000 {
			t.Fatalf("GET %s: %d items and next, limit %d", target, len(items), limit)
		}
		followed := a.follow(t, target)
		u, _ := url.Parse(followed)
		if u.Query().Get("cursor") != next {
			t.Fatalf("Link %q has another cursor than next %q", followed, next)
		}
		target = followed
	}
}

func testPages(t *testing.T, c contract) {
	for i := range 23 {
		id := fmt.Sprintf("page-%02d", i)
		c.place(t, id, "")
		c.settled(t, id, 1)
	}
	all := c.walk(t, "/?limit=100", 100, "orderId")
	seen := map[string]bool{}
	for _, id := range all {
		if seen[id] {
			t.Errorf("%s is listed twice", id)
		}
		seen[id] = true
	}
	for i := range 23 {
		if !seen[fmt.Sprintf("page-%02d", i)] {
			t.Errorf("page-%02d is not listed", i)
		}
	}
	for _, limit := range []int{1, 7, 10, len(all)} {
		if limit > 100 {
			continue
		}
		if got := c.walk(t, fmt.Sprintf("/default?limit=%d", limit), limit, "orderId"); fmt.Sprint(got) != fmt.Sprint(all) {
			t.Errorf("by %d: %d records, want %d", limit, len(got), len(all))
		}
	}
	if n := len(c.get(t, "/").items(t)); n != 10 {
		t.Errorf("the default of limit is %d, want the schema's pageSize, 10", n)
	}
	for _, limit := range []string{"0", "101", "-1", "", "1.0", "x", "+1", "01", "1e1", "99999999999999999999"} {
		c.get(t, "/?limit="+url.QueryEscape(limit)).want(t, 400, "parameter")
		c.get(t, "/events/page-00?limit="+url.QueryEscape(limit)).want(t, 400, "parameter")
	}
}

// testPagesWhileWriting: records that are there throughout are in exactly one page.
func testPagesWhileWriting(t *testing.T, c contract) {
	const there = 40
	for i := range there {
		c.place(t, fmt.Sprintf("busy-%02d", i), "")
	}
	for i := range there {
		c.settled(t, fmt.Sprintf("busy-%02d", i), 1)
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	writers.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			c.post(t, placed(fmt.Sprintf("busy-%02d-%d", i%there, i), ""))
			c.post(t, event("OrderShipped", fmt.Sprintf("busy-%02d", i%there), `"carrier":"x"`)) // 201 once
		}
	})
	for round, until := 0, time.Now().Add(2*time.Second); round < 2 || time.Now().Before(until); round++ {
		count := map[string]int{}
		for _, id := range c.walk(t, "/?limit=7", 7, "orderId") {
			count[id]++
		}
		for i := range there {
			if id := fmt.Sprintf("busy-%02d", i); count[id] != 1 {
				t.Errorf("%s is in %d pages", id, count[id])
			}
		}
		for id, n := range count {
			if n > 1 {
				t.Errorf("%s is in %d pages", id, n)
			}
		}
	}
	close(stop)
	writers.Wait()
}

func testIndexPages(t *testing.T, c contract) {
	// One instant, however it is spelled, and others round it; nobody else cancels.
	times := []string{"2026-03-01T12:00:00Z", "2026-03-01T14:00:00+02:00", "2026-03-01T11:59:59.999999999Z", "1969-12-31T23:59:59Z", "2026-03-01T12:00:00.1Z", "0001-01-01T00:00:01Z", "9999-12-31T23:59:59Z"}
	want := []string{"x-6", "x-4", "x-0 x-1", "x-2", "x-3", "x-5"}
	for i, at := range times {
		id := fmt.Sprintf("x-%d", i)
		c.place(t, id, `"placedAt":"`+at+`"`)
		c.post(t, event("OrderCancelled", id, `"reason":"r"`)).want(t, 201, "")
		c.settled(t, id, 2)
	}
	check := func(target string, limit int, want []string) {
		t.Helper()
		got := c.walk(t, target, limit, "orderId")
		at := 0
		for _, group := range want {
			ids := strings.Fields(group)
			for range ids {
				if at >= len(got) || !strings.Contains(" "+group+" ", " "+got[at]+" ") {
					t.Fatalf("GET %s: %q, want %q", target, got, want)
				}
				at++
			}
		}
		if at != len(got) {
			t.Errorf("GET %s: %q, want %q", target, got, want)
		}
	}
	reversed := []string{"x-5", "x-3", "x-2", "x-0 x-1", "x-4", "x-6"}
	for _, limit := range []int{1, 2, 3, 7, 100} {
		check(fmt.Sprintf("/?status=cancelled&limit=%d", limit), limit, want)
		check(fmt.Sprintf("/default?limit=%d&order=desc&status=cancelled", limit), limit, want)
		check(fmt.Sprintf("/?order=asc&limit=%d&status=cancelled", limit), limit, reversed)
	}
	for _, target := range []string{"/?status=lost", "/?status=", "/?status=Placed", "/?order=desc", "/?status=placed&order=", "/?status=placed&order=DESC", "/?status=placed&order=up", "/?status=placed&status=placed", "/customer-summary?status=placed", "/customer-summary?order=asc"} {
		c.get(t, target).want(t, 400, "parameter")
	}
}

// testLargePages: a page also ends at 1 MB, and goes on from there.
func testLargePages(t *testing.T, c contract) {
	large := strings.Repeat("a", 300<<10)
	for i := range 9 {
		c.post(t, strings.Replace(placed(fmt.Sprintf("large-page-%d", i), ""), `"ann"`, `"`+large+`"`, 1)).want(t, 201, "")
	}
	for i := range 9 { // in no order
		c.settled(t, fmt.Sprintf("large-page-%d", i), 1)
	}
	seen := map[string]int{}
	for target := "/?limit=100"; target != ""; {
		a := c.get(t, target)
		if len(a.body) > 1<<20+320<<10 {
			t.Errorf("a page of %d bytes", len(a.body))
		}
		for _, item := range a.items(t) {
			seen[text(item["orderId"])]++
		}
		if a.json["next"] == nil {
			break
		}
		target = a.follow(t, target)
	}
	for i := range 9 {
		if id := fmt.Sprintf("large-page-%d", i); seen[id] != 1 {
			t.Errorf("%s is in %d pages", id, seen[id])
		}
	}
}

func testForeignCursors(t *testing.T, c contract) {
	cursor := func(target string) string {
		t.Helper()
		next := text(c.get(t, target).json["next"])
		if next == "" {
			t.Fatalf("GET %s has no next", target)
		}
		return url.QueryEscape(next)
	}
	for i := range 3 {
		c.post(t, strings.Replace(placed(fmt.Sprintf("cur-%d", i), ""), `"ann"`, fmt.Sprintf(`"cur-%d"`, i), 1)).want(t, 201, "")
	}
	for _, id := range []string{"cur-0", "cur-1"} {
		c.ship(t, id)
		c.settled(t, id, 2)
	}
	eventually(t, func() error {
		if n := len(c.get(t, "/customer-summary?limit=2").items(t)); n != 2 {
			return fmt.Errorf("%d summaries", n)
		}
		return nil
	})
	lists := []string{"/?limit=1", "/?status=shipped&limit=1", "/?status=placed&limit=1", "/?status=placed&order=asc&limit=1", "/customer-summary?limit=1", "/events/cur-0?limit=1", "/events/cur-1?limit=1"}
	for i, from := range lists {
		next := cursor(from)
		for j, to := range lists {
			a := c.get(t, to+"&cursor="+next)
			if i == j {
				a.want(t, 200, "")
			} else {
				a.want(t, 400, "cursor")
			}
		}
	}
	// The same list by another name, page size or spelling goes on.
	c.get(t, "/default?limit=9&cursor="+cursor("/?limit=1")).want(t, 200, "")
	c.get(t, "/?status=placed&order=desc&cursor="+cursor("/?status=placed&limit=1")).want(t, 200, "")
	c.get(t, "/events?id=cur-0&cursor="+cursor("/events/cur-0?limit=1")).want(t, 200, "")
	good := cursor("/?limit=1")
	for _, bad := range []string{"", "x", good[:len(good)-1], good + "A", good + "%3D", "AAAA", good[1:], strings.Repeat("A", 10_000), "%00", "null", strings.ToUpper(good)} {
		c.get(t, "/?cursor="+bad).want(t, 400, "cursor")
	}
}

func testParameters(t *testing.T, c contract) {
	c.place(t, "par", "")
	c.settled(t, "par", 1)
	for _, target := range []string{
		"/?x=1", "/?Limit=1", "/?limit", "/?limit=1&limit=1", "/?%ff=1", "/?limit=%ff", "/?limit=%zz", "/?limit=1;order=asc", "/?=", "/?id=par&limit=1", "/?id=par&cursor=x", "/?id=par&status=placed", "/?id=par&id=par",
		"/par?x=1", "/par?limit=1", "/par?id=par", "/default/par?status=placed", "/events/par?x=", "/-/health?x=1", "/customer-summary?x=1", "/par?order=asc",
	} {
		if c.sendable(target) {
			c.get(t, target).want(t, 400, "parameter")
		}
	}
	c.post(t, placed("par", "")).want(t, 409, "state")
	c.do(t, "POST", "/?x=1", placed("par-2", "")).want(t, 400, "parameter")
	c.get(t, "/?").want(t, 200, "")
	c.get(t, "/?id=").want(t, 404, "not-found")
}
