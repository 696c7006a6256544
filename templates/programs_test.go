package templates_test

import (
	"strings"
	"testing"

	"github.com/esgen/esgen/templates"
)

// everyProgram has all programs that there are, and consumers that are called like what they
// meet in theirs.
const everyProgram = `
esgen: 1
service: parcels
module: example.com/parcels
entity: {name: parcel, key: parcelId}
events:
  ParcelSent: {fields: {weight: decimal}}
views:
  default: {events: [ParcelSent], fields: {weight: decimal}}
consumers:
  lambda: {events: [ParcelSent]}
  service: {events: [ParcelSent]}
  es: {view: default}
  m: {view: default}
  topic: {view: default}
api:
  gateway: rest
  auth: custom
  cors: {origins: ["https://shop.example.com", "https://admin.example.com"]}
`

func TestProgramsOfAllKinds(t *testing.T) {
	s := load(t, "esgen.yaml", []byte(everyProgram))
	dir := t.TempDir()
	files := everything(t, s, []byte(everyProgram))
	content := map[string]string{}
	for _, f := range files {
		content[f.Path] = string(f.Content)
	}
	for path, call := range map[string]string{
		"cmd/command/main_gen.go":         `lambda.Command(service.Events(), "https://shop.example.com", "https://admin.example.com")`,
		"cmd/query/main_gen.go":           `lambda.Query(service.Views(), tables.Views(), "https://shop.example.com", "https://admin.example.com")`,
		"cmd/projector/main_gen.go":       `lambda.Projector(service.Views(), tables.Views())`,
		"cmd/reconcile/main_gen.go":       `lambda.Reconcile(service.Views(), tables.Views())`,
		"cmd/relay/main_gen.go":           `lambda.Relay(topic.FromEnvironment)`,
		"cmd/consumer-lambda/main_gen.go": `lambda.Consumer(m, "lambda")`,
		"cmd/authorizer/main_gen.go":      `lambda.Authorizer(authorizer.Authorize)`,
		"authorizer/authorize.go":         `return "", false, nil`,
	} {
		if text := strings.Join(strings.Fields(content[path]), " "); !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(text, "( ", "("), ", )", ")"), call) {
			t.Errorf("%s does not have %s:\n%s", path, call, content[path])
		}
	}
	if testing.Short() {
		return
	}
	write(t, dir, files)
	run(t, dir, "go", "vet", "./cmd/...", "./authorizer")
}

// TestProgramsThatAServiceNeeds: what has nothing to do is not there.
func TestProgramsThatAServiceNeeds(t *testing.T) {
	text := strings.NewReplacer("  service: {events: [ParcelSent]}\n", "", "  topic: {view: default}\n", "", "rest", "http", "auth: custom", "auth: iam").Replace(everyProgram)
	files, err := templates.Files(load(t, "esgen.yaml", []byte(text)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Path, "cmd/relay/") || strings.Contains(f.Path, "authorizer/") {
			t.Errorf("%s is there", f.Path)
		}
		if strings.HasPrefix(f.Path, "cmd/query/") && strings.Contains(string(f.Content), "shop.example.com") {
			t.Errorf("an HTTP API answers browsers itself:\n%s", f.Content)
		}
	}
}
