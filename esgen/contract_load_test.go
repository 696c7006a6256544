package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSixteenClients: 16 clients send events of one entity, each event twice and then
// four times, all at once. There is no duplicate and no hole, and all answers to one
// event are the same.
func TestSixteenClients(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs a whole service")
	}
	program := buildProgram(t, makeService(t, buildTool(t), "sensors"))
	base, _ := startProgram(t, program, filepath.Join(t.TempDir(), "store.db"))
	const clients, each = 16, 12
	for _, copies := range []int{2, 4} {
		entity := fmt.Sprintf("sensor-%d", copies)
		var mu sync.Mutex
		answers := map[string]string{} // event id → the event as answered first
		created := map[string]int{}
		var wg sync.WaitGroup
		for client := range clients {
			wg.Go(func() {
				for i := range each {
					id := fmt.Sprintf("e-%d-%d", client, i)
					body := fmt.Sprintf(`{"type":"ReadingTaken","sensorId":%q,"eventId":%q,"celsius":%d,"floor":1}`, entity, id, client*each+i)
					var sent sync.WaitGroup
					for range copies {
						sent.Go(func() {
							status, text := sendUntilKnown(t, base, body)
							mu.Lock()
							defer mu.Unlock()
							if status == 201 {
								created[id]++
							}
							if old, known := answers[id]; known && old != text {
								t.Errorf("two answers for %s:\n%s\n%s", id, old, text)
							}
							answers[id] = text
						})
					}
					sent.Wait()
				}
			})
		}
		wg.Wait()
		history := pages(t, base+"/events?limit=100&id="+entity)
		checkVersions(t, map[string][]object{entity: history})
		if len(history) != clients*each || len(answers) != clients*each {
			t.Errorf("%d events are stored and %d answered, want %d", len(history), len(answers), clients*each)
		}
		for _, e := range history {
			id := text(e["eventId"])
			var answered object
			d := json.NewDecoder(bytes.NewReader([]byte(answers[id])))
			d.UseNumber()
			if d.Decode(&answered) != nil || !same(answered, e) {
				t.Errorf("%s was answered %s and is %v", id, answers[id], e)
			}
			if created[id] > 1 {
				t.Errorf("%s was answered 201 %d times", id, created[id])
			}
		}
		eventually(t, func() error {
			resp, err := http.Get(base + "/default?id=" + entity)
			if err != nil {
				return err
			}
			if record := decode(t, resp); number(record["readings"]).Cmp(number(clients*each)) != 0 {
				return fmt.Errorf("%v readings", record["readings"])
			}
			return nil
		})
	}
}

// sendUntilKnown sends a body until it is answered for good, as clients do.
func sendUntilKnown(t *testing.T, base, body string) (status int, text string) {
	t.Helper()
	for range 50 {
		resp, err := http.Post(base+"/", "application/json", bytes.NewReader([]byte(body)))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		switch resp.StatusCode {
		case 200, 201:
			return resp.StatusCode, string(b)
		case 503:
			if resp.Header.Get("Retry-After") == "" {
				t.Errorf("503 without Retry-After: %s", b)
			}
			continue
		}
		t.Errorf("%d %s", resp.StatusCode, b)
		return resp.StatusCode, string(b)
	}
	t.Error("always 503")
	return 0, ""
}

// testKilledAtRandom: SIGKILL under load, again and again; what was acknowledged is
// there after the restart, as it was acknowledged, and the views catch up by themselves.
func testKilledAtRandom(t *testing.T, program string) {
	store := filepath.Join(t.TempDir(), "store.db")
	r := rand.New(rand.NewPCG(7, 7))
	acknowledged := map[string]string{} // order → the event as answered
	for round := range 5 {
		base, kill := startProgram(t, program, store)
		var mu sync.Mutex
		var dead atomic.Bool
		var wg sync.WaitGroup
		for client := range 8 {
			wg.Go(func() {
				for i := 0; !dead.Load(); i++ {
					id := fmt.Sprintf("k-%d-%d-%d", round, client, i)
					resp, err := http.Post(base+"/", "application/json", bytes.NewReader([]byte(placed(id, `"eventId":"e"`))))
					if err != nil {
						return
					}
					b, err := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					if err == nil && resp.StatusCode == 201 {
						mu.Lock()
						acknowledged[id] = string(b)
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(time.Duration(50+r.IntN(400)) * time.Millisecond)
		kill()
		dead.Store(true)
		wg.Wait()
	}
	if len(acknowledged) < 20 {
		t.Fatalf("only %d events were acknowledged", len(acknowledged))
	}
	base, _ := startProgram(t, program, store)
	c := contract{base: base}
	for id, body := range acknowledged {
		if a := c.get(t, "/events?id="+url.QueryEscape(id)); a.body != `{"items":[`+body+`]}` {
			t.Errorf("%s was acknowledged as %s and is %d %s", id, body, a.status, a.body)
		}
	}
	eventually(t, func() error {
		listed := map[string]bool{}
		for _, id := range c.walk(t, "/?limit=100", 100, "orderId") {
			listed[id] = true
		}
		for id := range acknowledged {
			if !listed[id] {
				return fmt.Errorf("%s is not in the view", id)
			}
		}
		// What was stored and not acknowledged counts, too: the summary is of all that is listed.
		if a := c.get(t, "/customer-summary/ann"); number(a.json["orders"]).Cmp(number(len(listed))) != 0 {
			return fmt.Errorf("the summary counts %v orders, %d are listed", a.json["orders"], len(listed))
		}
		return nil
	})
}
