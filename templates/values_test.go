package templates_test

import (
	"regexp"
	"strings"
	"testing"
)

// TestDefaults sends an event without a field: what is stored has every default.
func TestDefaults(t *testing.T) {
	got := showOne(t, "types", "DefaultsSet", `{"type":"DefaultsSet","thingId":"abc-1"}`)
	id := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)
	const now = `"2024-05-06T07:08:09Z"` // the driver's clock
	want := `{"text":"say \"hi\"\n` + "`x`" + `","whole":-9223372036854775808,"real":1.5e-7,"exact":1.50,"yes":true,` +
		`"at":"2024-02-29T23:59:59.123456789+05:30","now":` + now + `,"day":"2024-02-29","today":"2024-05-06",` +
		`"ref":"0190163d-8694-739b-aea5-966c26f8ad91","fresh":"NEW","raw":"AP8=","free":{"a":[1,null,"x"]},"colour":"dark-blue",` +
		`"mood":"bad","texts":["a","b"],"none":[],"byName":{"a":2.50,"b":1},` +
		`"part":{"sku":"A-1","colour":"red","parts":[{"sku":"B-2","colour":"1st","madeAt":` + now + `,"serial":"NEW"}],` +
		`"madeAt":` + now + `,"serial":"NEW"},"colours":["red","A+"]}`
	payload := strings.Replace(got.Payload, `"ref":"0190163d-8694-739b-aea5-966c26f8ad91"`, `"ref":"REF"`, 1)
	fresh := id.FindAllString(payload, -1)
	payload = id.ReplaceAllString(payload, "NEW")
	if want = strings.Replace(want, "0190163d-8694-739b-aea5-966c26f8ad91", "REF", 1); payload != want {
		t.Errorf("got  %s\nwant %s", payload, want)
	}
	if len(fresh) != 3 || fresh[0] == fresh[1] || fresh[1] == fresh[2] {
		t.Errorf("new ids %q, want three different ones", fresh)
	}
}

// TestSensitiveValuesDoNotPrint formats and logs an event in every way that fmt
// and slog have, as a value and as a pointer.
func TestSensitiveValuesDoNotPrint(t *testing.T) {
	got := showOne(t, "types", "PersonSeen", `{"type":"PersonSeen","thingId":"abc-1","secret":"s3cret","pin":481516,"note":"visible",
		"person":{"name":"s3cret","boss":{"name":"s3cret"}},"others":[{"name":"s3cret","age":42}]}`)
	if len(got.Printed) == 0 {
		t.Fatal("nothing was printed")
	}
	for _, text := range got.Printed {
		// 733363726574 is what %x makes of s3cret
		if strings.Contains(text, "s3cret") || strings.Contains(text, "481516") || strings.Contains(text, "733363726574") {
			t.Errorf("sensitive: %s", text)
		}
		if !strings.Contains(text, "visible") || !strings.Contains(text, "[sensitive]") {
			t.Errorf("shows too little: %s", text)
		}
	}
	if !strings.Contains(got.Payload, `"secret":"s3cret"`) {
		t.Errorf("not stored: %s", got.Payload)
	}
}

// showOne decodes one body of a case and returns what became of it.
func showOne(t *testing.T, name, eventType, body string) verdict {
	t.Helper()
	got := judged(t, []document{{Case: name, Type: eventType, Body: body, Show: true}})[0]
	if len(got.Violations) > 0 || got.Trouble != "" {
		t.Fatalf("refused: %v %s", got.Violations, got.Trouble)
	}
	return got
}
