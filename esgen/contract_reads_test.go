package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func testRecord(t *testing.T, c contract) {
	c.place(t, "rec", `"placedAt":"2026-01-02T03:04:05.5+02:00"`)
	c.ship(t, "rec")
	a := c.settled(t, "rec", 2)
	want := `{"orderId":"rec","customerId":"ann","status":"shipped","total":9.50,"placedAt":"2026-01-02T03:04:05.5+02:00","carrier":"DHL","version":2}`
	if a.body != want {
		t.Errorf("record\n got %s\nwant %s", a.body, want)
	}
	for _, target := range []string{"/rec", "/default/rec", "/default?id=rec", "/?id=rec", "/%72ec", "/rec?minVersion=1"} {
		if b := c.get(t, target); b.status != 200 || b.body != a.body || b.header.Get("ETag") != a.header.Get("ETag") {
			t.Errorf("GET %s: %d %s", target, b.status, b.body)
		}
	}
	summary := c.get(t, "/customer-summary/ann")
	eventually(t, func() error {
		if summary = c.get(t, "/customer-summary/ann"); summary.status != 200 {
			return fmt.Errorf("no summary: %s", summary.body)
		}
		return nil
	})
	summary.members(t, object{"customerId": "ann", "version": nil})
}

func testEntityTags(t *testing.T, c contract) {
	c.place(t, "tag", "")
	a := c.settled(t, "tag", 1)
	tag := a.header.Get("ETag")
	if tag == `"1"` || len(tag) < 3 {
		t.Errorf("ETag %s", tag)
	}
	for _, list := range []string{tag, "W/" + tag, `"x", ` + tag, `"x",W/` + tag, "*", `"a,b" , ` + tag} {
		b := c.get(t, "/tag", "If-None-Match", list)
		b.want(t, 304, "")
		if b.body != "" || b.header.Get("ETag") != tag || b.header.Get("Content-Type") != "" {
			t.Errorf("304: %q %v", b.body, b.header)
		}
	}
	for _, list := range []string{`"x"`, "x", strings.Trim(tag, `"`), `"`, `"1"`} {
		c.get(t, "/tag", "If-None-Match", list).want(t, 200, "")
	}
	c.get(t, "/tag-none", "If-None-Match", "*").want(t, 404, "not-found")
	c.ship(t, "tag")
	if b := c.settled(t, "tag", 2); b.header.Get("ETag") == tag {
		t.Error("another answer has the same ETag")
	}
}

func testMinVersion(t *testing.T, c contract) {
	c.place(t, "min", "")
	c.ship(t, "min")
	a := c.get(t, "/min?minVersion=2") // at once, whatever the projector has done
	a.want(t, 200, "")
	a.members(t, object{"version": 2, "status": "shipped"})
	c.settled(t, "min", 2)
	c.get(t, "/min?minVersion=0").want(t, 200, "")
	c.get(t, "/default?id=min&minVersion=2").want(t, 200, "")
	c.get(t, "/min?minVersion=3").want(t, 400, "parameter")
	c.get(t, "/nobody?minVersion=0").want(t, 404, "not-found")
	c.get(t, "/nobody?minVersion=1").want(t, 400, "parameter")
	c.get(t, "/?minVersion=1").want(t, 400, "parameter")
	c.get(t, "/default?status=placed&minVersion=1").want(t, 400, "parameter")
	c.get(t, "/customer-summary/ann?minVersion=1").want(t, 400, "parameter")
	c.get(t, "/customer-summary?id=ann&minVersion=1").want(t, 400, "parameter")
	for _, n := range []string{"-1", "", "x", "01", "1.0", "+1", "99999999999999999999", "1e2"} {
		c.get(t, "/min?minVersion="+url.QueryEscape(n)).want(t, 400, "parameter")
		c.get(t, "/min?version="+url.QueryEscape(n)).want(t, 400, "parameter")
	}
	for i := range 50 { // writes that the projector cannot have folded yet
		id := fmt.Sprintf("min-%d", i)
		c.place(t, id, "")
		b := c.get(t, "/"+id+"?minVersion=1")
		b.want(t, 200, "")
		b.members(t, object{"version": 1})
	}
}

func testAsOf(t *testing.T, c contract) {
	c.place(t, "asof", "")
	c.ship(t, "asof")
	c.post(t, event("OrderDelivered", "asof", "")).want(t, 201, "")
	for version, status := range []string{"", "placed", "shipped", "delivered"} {
		a := c.get(t, fmt.Sprintf("/asof?version=%d", version))
		if status == "" {
			a.want(t, 404, "not-found")
			continue
		}
		a.want(t, 200, "")
		a.members(t, object{"version": version, "status": status})
	}
	c.get(t, "/default?id=asof&version=1").want(t, 200, "")
	c.get(t, "/asof?version=4").want(t, 400, "parameter")
	c.get(t, "/asof?version=1&minVersion=1").want(t, 400, "parameter")
	c.get(t, "/?version=1").want(t, 400, "parameter")
	c.get(t, "/customer-summary/ann?version=1").want(t, 400, "parameter")
	a := c.get(t, "/asof?version=1")
	c.get(t, "/asof?version=1", "If-None-Match", a.header.Get("ETag")).want(t, 304, "")
}

func testHistory(t *testing.T, c contract) {
	a := c.place(t, "hist", "")
	b := c.ship(t, "hist")
	d := c.post(t, event("OrderDelivered", "hist", ""))
	for _, target := range []string{"/events/hist", "/events?id=hist"} {
		all := c.get(t, target)
		all.want(t, 200, "")
		if all.body != `{"items":[`+a.body+","+b.body+","+d.body+`]}` || all.header.Get("Link") != "" {
			t.Errorf("GET %s: %s", target, all.body)
		}
		page := c.get(t, target+strings.Repeat("?", 1-strings.Count(target, "?"))+strings.Repeat("&", strings.Count(target, "?"))+"limit=2")
		next := text(page.json["next"])
		if len(page.items(t)) != 2 || next == "" || page.header.Get("Link") == "" {
			t.Fatalf("GET %s: %s", target, page.body)
		}
		rest := c.get(t, "/events?id=hist&limit=2&cursor="+url.QueryEscape(next))
		if rest.body != `{"items":[`+d.body+`]}` {
			t.Errorf("the rest: %s", rest.body)
		}
		if again := c.get(t, page.follow(t, target)); again.body != rest.body {
			t.Errorf("Link of %s: %s", target, again.body)
		}
	}
	c.get(t, "/events").want(t, 400, "parameter")
	c.get(t, "/events/").want(t, 404, "not-found")
	c.get(t, "/events?id=").want(t, 404, "not-found")
	c.get(t, "/events?id="+strings.Repeat("x", 257)).want(t, 404, "not-found")
	c.get(t, "/events/hist?order=asc").want(t, 400, "parameter")
	c.get(t, "/events/hist?id=hist").want(t, 400, "parameter")
	c.get(t, "/events/hist?minVersion=1").want(t, 400, "parameter")
}

// follow resolves the Link of a page against the target that it was asked at.
func (a reply) follow(t *testing.T, target string) string {
	t.Helper()
	link := a.header.Get("Link")
	reference, found := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	if !found || !strings.HasPrefix(reference, "?cursor=") {
		t.Fatalf("Link %q", link)
	}
	base, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	next, err := base.Parse(reference)
	if err != nil {
		t.Fatal(err)
	}
	return next.String()
}

// testIDs: every id can be read in the query, those of promised characters in the path, too.
func testIDs(t *testing.T, c contract) {
	query := []string{
		"a/b", "a?b", "a#b", "a%b", "a%2Fb", "a%252Fb", "é", "e\u0301", "a b", " ", " a ", "..", ".", "../x", "a//b", "/", "//", "?", "#", "%", "&", "a&id=b", "a;b", `"`, `\`,
		"<script>", "\u0000", "a\u0000", "\n", "\r\nX-Evil: 1", "\u2028", "日本", "😀", strings.Repeat("é", 256), strings.Repeat("😀", 256), "'", "a\u200bb", "\ufeffa", "*",
	}
	path := []string{"ids-1", "a.b", "a..b", "...", "~x", "a:b", "a@b", "x+y", "a,b", "a=b", "_", "A", "a", ".hidden", "x-", "+,=", "favicon.ico", "events.", "0", "+", "null"}
	named := []string{"-x", "-", "-/health", "-health", "default", "customer-summary", "events"}
	for i, ids := range [][]string{query, path, named} {
		for _, id := range ids {
			a := c.place(t, id, "")
			history, record := a.header.Get("Location"), "/default?id="+strings.ReplaceAll(url.QueryEscape(id), "+", "%20")
			if inPath := strings.HasPrefix(history, "/events/"); inPath != (i == 1 || i == 2 && !strings.Contains(id, "/")) {
				t.Errorf("Location of %q: %s", id, history)
			}
			h := c.get(t, history)
			if h.status != 200 || h.body != `{"items":[`+a.body+`]}` {
				t.Errorf("history of %.20q at %s: %d %.200s", id, history, h.status, h.body)
			}
			targets := []string{record, "/?id=" + url.QueryEscape(id)}
			if i == 1 {
				targets = append(targets, "/"+id, "/default/"+id)
			}
			if i == 2 && !strings.Contains(id, "/") {
				targets = append(targets, "/default/"+id)
			}
			for _, target := range targets {
				b := c.get(t, target+"?minVersion=1")
				if strings.Contains(target, "?") {
					b = c.get(t, target+"&minVersion=1")
				}
				if b.status != 200 || b.json["orderId"] != id {
					t.Errorf("%.20q at %.60s: %d %.200s", id, target, b.status, b.body)
				}
			}
			if b := c.get(t, record+"&version=1"); b.status != 200 {
				t.Errorf("%q as of 1: %d", id, b.status)
			}
			if b := c.post(t, event("OrderShipped", id, `"carrier":"x","eventId":"s"`)); b.status != 201 || b.header.Get("Location") != history {
				t.Errorf("second event of %q: %d %s", id, b.status, b.body)
			}
		}
	}
	c.settled(t, "a/b", 2)
}
