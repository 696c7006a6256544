package dev

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/esgen/esgen/esgen/internal/sample"
	"github.com/esgen/esgen/schema"
)

// greetings is how many calls are shown; a service of a thousand events would scroll everything else away.
const greetings = 30

// Greeting says where a service is, and gives a command for each event that can
// be run as it stands, in this order, and for each view.
func Greeting(s *schema.Service, url string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is at %s (press Ctrl-C to stop)\n\nsend events, in this order:\n\n", s.Name, url)
	events, missing := sample.Events(s)
	for i, e := range events {
		if i == greetings {
			fmt.Fprintf(&b, "  … and %d more\n", len(events)-i)
			break
		}
		fmt.Fprintf(&b, "  curl -sS %s/ -H 'Content-Type: application/json' -d %s\n", url, shellQuote(string(e.Body)))
	}
	if len(missing) > 0 {
		fmt.Fprintf(&b, "  (no example could be made up for %s)\n", strings.Join(missing, ", "))
	}
	b.WriteString("\nread:\n\n")
	for i, v := range s.Views {
		if i == greetings {
			fmt.Fprintf(&b, "  … and %d more views\n", len(s.Views)-i)
			break
		}
		path := "/" + v.Name
		if v.Name == "default" {
			path = "/"
		}
		fmt.Fprintf(&b, "  curl -sS %s%s\n", url, path)
	}
	if len(events) > 0 {
		fmt.Fprintf(&b, "  curl -sS -G %s/events --data-urlencode %s\n", url, shellQuote("id="+events[0].Entity))
	}
	b.WriteByte('\n')
	return b.String()
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
