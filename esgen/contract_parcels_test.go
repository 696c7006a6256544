package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// parcels is a service for what the example has no place for: records keyed by
// values that have several spellings, index keys without a bound, code that fails.
const parcels = `
esgen: 1
service: parcels
module: example.com/parcels
entity: {name: parcel, key: parcelId}
events:
  ParcelSent:
    fields:
      courier: uuid
      floor: int
      day: date
      address: string
      kind: {type: string, default: box}
views:
  default:
    events: [ParcelSent]
    fields: {address: string, kind: string}
    indexes:
      address: {key: address}
      kind: {key: kind, sort: address}
  courier: {key: courier, events: [ParcelSent], fields: {kind: string}}
  floor: {key: floor, events: [ParcelSent], fields: {kind: string}}
  day: {key: day, events: [ParcelSent], fields: {kind: string}}
api: {auth: none}
`

const failingStub = `package defaultview

import (
	"errors"

	"example.com/parcels/events"
	es "github.com/esgen/esgen/runtime"
)

func onParcelSent(view *View, event events.ParcelSent, meta es.Meta) error {
	if event.Address == "nowhere" {
		return errors.New("no such address")
	}
	view.Address, view.Kind = event.Address, event.Kind
	return nil
}
`

func TestContractOfParcels(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a whole service")
	}
	tool := buildTool(t)
	folder := t.TempDir()
	dir, from, stub := filepath.Join(folder, "parcels"), filepath.Join(folder, "esgen.yaml"), filepath.Join(folder, "parcels", "views", "defaultview", "parcel_sent.go")
	write(t, from, parcels)
	run(t, ".", tool, "init", dir, "--from", from)
	write(t, stub, failingStub)
	program := buildProgram(t, dir)
	store := filepath.Join(dir, ".esgen", "local", "store.db")
	base, kill := startProgram(t, program, store)
	c := contract{base: base}
	t.Run("keys in any spelling", func(t *testing.T) { testSpelledKeys(t, c) })
	t.Run("long index keys", func(t *testing.T) { testLongIndexKeys(t, c) })
	t.Run("quarantine", func(t *testing.T) {
		testQuarantine(t, c, tool, dir)
		kill()
		testRepaired(t, tool, dir, stub, store)
	})
	t.Run("behind", func(t *testing.T) { testBehind(t, program) })
}

func sent(id, address, more string) string {
	if more != "" {
		more = "," + more
	}
	return fmt.Sprintf(`{"type":"ParcelSent","parcelId":%q,"courier":"01890A5D-AC96-774B-BCCE-B302099A8057","floor":-12.0,"day":"2026-01-02","address":%q%s}`, id, address, more)
}

func testSpelledKeys(t *testing.T, c contract) {
	c.post(t, sent("spelled", "x", "")).want(t, 201, "")
	eventually(t, func() error {
		if a := c.get(t, "/day/2026-01-02"); a.status != 200 {
			return fmt.Errorf("%d %s", a.status, a.body)
		}
		return nil
	})
	for view, keys := range map[string][]string{
		"courier": {"01890a5d-ac96-774b-bcce-b302099a8057", "01890A5D-AC96-774B-BCCE-B302099A8057", "01890A5D-ac96-774b-bcce-b302099a8057"},
		"floor":   {"-12", "-12.0", "-120e-1", "-1.2E1"},
		"day":     {"2026-01-02"},
	} {
		canonical := c.get(t, "/"+view+"/"+keys[0])
		canonical.want(t, 200, "")
		for _, key := range keys {
			for _, target := range []string{"/" + view + "/" + key, "/" + view + "?id=" + key} {
				if a := c.get(t, target); a.status != 200 || a.body != canonical.body || a.header.Get("ETag") != canonical.header.Get("ETag") {
					t.Errorf("GET %s: %d %s", target, a.status, a.body)
				}
			}
		}
	}
	for view, keys := range map[string][]string{
		"courier": {"x", "01890a5dac96774bbcceb302099a8057", "%7B01890a5d-ac96-774b-bcce-b302099a8057%7D", "01890a5d-ac96-774b-bcce-b302099a805"},
		"floor":   {"12", "-12.5", "-012", "+12", "-12x", "%20-12", "-", "1e999999999", "9223372036854775808"},
		"day":     {"2026-1-2", "2026-02-30", "20260102", "2026-01-02T00:00:00Z", "x"},
		"default": {"Spelled"},
	} {
		for _, key := range keys {
			c.get(t, "/"+view+"/"+key).want(t, 404, "not-found")
			c.get(t, "/"+view+"?id="+strings.ReplaceAll(key, "+", "%2B")).want(t, 404, "not-found")
		}
	}
}

// testLongIndexKeys: a record is in lists and in order whatever its index key's length.
func testLongIndexKeys(t *testing.T, c contract) {
	long := strings.Repeat("k", 10_000)
	addresses := map[string]string{
		"long-a": strings.Repeat("a", 300<<10), "long-b": "b" + long, "long-c": "c" + long[:511], "long-d": "c" + long[:512], "long-e": "d", "long-f": "e" + long[:600] + "1", "long-g": "e" + long[:600] + "2",
		// What the key of long-b becomes inside is a key that a record may have, too.
		"long-h": fmt.Sprintf("sha256:%x", sha256.Sum256([]byte("b"+long))),
	}
	for id, address := range addresses {
		c.post(t, sent(id, address, `"kind":"long"`)).want(t, 201, "")
	}
	for id := range addresses {
		eventually(t, func() error {
			if a := c.get(t, "/"+id); a.status != 200 {
				return fmt.Errorf("%s: %d", id, a.status)
			}
			return nil
		})
	}
	for id, address := range addresses {
		if len(address) > 50_000 {
			continue // longer than a request's first line may be
		}
		if got := c.walk(t, "/?limit=3&address="+address, 3, "parcelId"); fmt.Sprint(got) != "["+id+"]" {
			t.Errorf("through the index, address of %d bytes: %q, want %s", len(address), got, id)
		}
	}
	for order, want := range map[string]string{"asc": "[long-a long-b long-c long-d long-e long-f long-g long-h]", "desc": "[long-h long-g long-f long-e long-d long-c long-b long-a]"} {
		var got []string
		for target := "/?kind=long&order=" + order; target != ""; {
			a := c.get(t, target)
			for _, item := range a.items(t) {
				got = append(got, text(item["parcelId"]))
			}
			if target = ""; a.json["next"] != nil {
				target = a.follow(t, "/?kind=long")
			}
		}
		// Two that differ behind the cut only may stand either way round.
		shown := fmt.Sprint(got)
		for _, twins := range [][2]string{{"long-c", "long-d"}, {"long-f", "long-g"}} {
			i, j := strings.Index(shown, twins[0]), strings.Index(shown, twins[1])
			if (i > j) != (order == "desc") {
				shown = strings.NewReplacer(twins[0], twins[1], twins[1], twins[0]).Replace(shown)
			}
		}
		if shown != want {
			t.Errorf("sorted %s: %s", order, got)
		}
	}
}

// testQuarantine: an event that the view's code cannot fold.
func testQuarantine(t *testing.T, c contract, tool, dir string) {
	if out, status := ask(t, tool, dir, "quarantine", "list"); status != 0 || out != "nothing is in quarantine\n" {
		t.Errorf("quarantine list, empty: %d %q", status, out)
	}
	c.post(t, sent("q", "here", "")).want(t, 201, "")
	c.post(t, sent("q", "nowhere", "")).want(t, 201, "")
	c.post(t, sent("q", "there", "")).want(t, 201, "")
	eventually(t, func() error {
		if out, _ := ask(t, tool, dir, "quarantine", "list"); !strings.Contains(out, "no such address") {
			return errors.New(out)
		}
		return nil
	})
	for _, n := range []int{2, 3} {
		a := c.get(t, fmt.Sprintf("/q?minVersion=%d", n))
		a.want(t, 503, "quarantined")
		if a.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	for _, target := range []string{"/q", "/q?minVersion=1", "/q?version=1"} {
		a := c.get(t, target)
		a.want(t, 200, "")
		a.members(t, object{"version": 1, "address": "here"})
	}
	c.get(t, "/q?minVersion=4").want(t, 400, "parameter")
	c.get(t, "/q?version=3").want(t, 503, "quarantined")
	if n := len(c.get(t, "/events/q").items(t)); n != 3 {
		t.Errorf("%d events", n)
	}
	out, status := ask(t, tool, dir, "status")
	if status != 0 || !strings.Contains(out, c.base) || !strings.Contains(out, "esgen quarantine list default") {
		t.Errorf("status: %d\n%s", status, out)
	}
	out, status = ask(t, tool, dir, "quarantine", "list", "default")
	if status != 0 || !strings.Contains(out, "q ") || strings.Contains(out, "nowhere") {
		t.Errorf("quarantine list: %d\n%s", status, out)
	}
	if out, status = ask(t, tool, dir, "quarantine", "retry"); status != 1 || !strings.Contains(out, "still in quarantine 1") {
		t.Errorf("quarantine retry: %d\n%s", status, out)
	}
	for _, wrong := range []struct{ words, says string }{
		{"quarantine", "needs a command"}, {"quarantine lst", "lst"}, {"quarantine list nosuch", "the views are default, courier, floor, day"},
		{"quarantine retry nosuch", "the views are default"}, {"quarantine retry default nobody", `not quarantined: entity "nobody"`},
		{"status x", "usage: "}, {"status --nosuch", "not defined: -nosuch"}, {"quarantine list a b", "usage: "}, {"status -store nosuch.db", "there is no store nosuch.db"},
	} {
		if out, status := ask(t, tool, dir, strings.Fields(wrong.words)...); status != 2 || strings.Count(out, wrong.says) != 1 || strings.Contains(out, "es: ") {
			t.Errorf("%s: %d %q", wrong.words, status, out)
		}
	}
}

// testRepaired: after the code is mended the same entity folds again.
func testRepaired(t *testing.T, tool, dir, stub, store string) {
	write(t, stub, strings.Replace(failingStub, `"nowhere"`, `"never"`, 1))
	if out, status := ask(t, tool, dir, "quarantine", "retry", "default", "q"); status != 0 || !strings.Contains(out, "released 1") {
		t.Errorf("retry after the repair, nothing running: %d\n%s", status, out)
	}
	if out, status := ask(t, tool, dir, "status", "-json"); status != 0 || !strings.Contains(out, `"quarantined": 0`) {
		t.Errorf("status -json: %d\n%s", status, out)
	}
	base, _ := startProgram(t, buildProgram(t, dir), store)
	a := contract{base: base}.get(t, "/q?minVersion=3")
	a.want(t, 200, "")
	a.members(t, object{"version": 3, "address": "there"})
}

// ask runs a command of esgen in a service's folder; out is all that it prints.
func ask(t *testing.T, tool, dir string, args ...string) (out string, status int) {
	t.Helper()
	cmd := exec.Command(tool, args...)
	cmd.Dir = dir
	b, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

// testBehind: the stream loses everything, so that a read has all to fold itself.
func testBehind(t *testing.T, program string) {
	base, _ := startProgram(t, program, filepath.Join(t.TempDir(), "store.db"), "-faults", "drop=1")
	c := contract{base: base}
	for i := range 501 {
		a := c.post(t, sent("far", fmt.Sprintf("a%d", i+1), ""))
		if a.status != http.StatusCreated {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	c.get(t, "/far").want(t, 404, "not-found") // nothing was folded, and a read stores nothing
	a := c.get(t, "/far?minVersion=500")
	a.want(t, 200, "")
	a.members(t, object{"version": 500, "address": "a500"})
	a = c.get(t, "/far?minVersion=501")
	a.want(t, 503, "behind")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	c.get(t, "/far").want(t, 404, "not-found")
	a = c.get(t, "/far?version=501")
	a.want(t, 200, "")
	a.members(t, object{"version": 501, "address": "a501"})
	if n := len(c.walk(t, "/events/far?limit=100", 100, "version")); n != 501 {
		t.Errorf("%d events in pages of 100", n)
	}
}
