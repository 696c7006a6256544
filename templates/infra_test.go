package templates_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/esgen/esgen/schema"
	"github.com/esgen/esgen/templates"
)

// What the CDK app of a service describes is tested where it runs, on the templates that it writes. Here
// are what it is made of and bounds that no ordinary schema reaches.

// infraOf generates the CDK app of a schema: texts by path.
func infraOf(t *testing.T, text string, revisions []byte) map[string]string {
	t.Helper()
	files, err := templates.Files(load(t, "esgen.yaml", []byte(text)), revisions)
	if err != nil {
		t.Fatal(err)
	}
	app := map[string]string{}
	for _, f := range files {
		if strings.HasPrefix(f.Path, "infra/") || strings.HasPrefix(f.Path, ".github/") {
			app[f.Path] = string(f.Content)
		}
	}
	return app
}

const smallService = `esgen: 1
service: shop
module: example.com/shop
entity: {name: order, key: orderId}
events: {OrderPlaced: {fields: {total: decimal, customerId: {type: string, maxLength: 256}}}, OrderShipped: }
views:
  default: {events: [OrderPlaced, OrderShipped], fields: {total: decimal}}
`

func TestCDKAppHasOnlyWhatTheSchemaAsksFor(t *testing.T) {
	for _, c := range []struct {
		name, more    string
		with, without []string // files, or words of the Go files
	}{
		{"nothing more", "",
			[]string{"infra/api_gen.go", "HttpMethod_POST", "awsapigatewayv2", "NewHttpIamAuthorizer"},
			[]string{"infra/consumers_gen.go", "infra/pipeline_gen.go", "infra/github_gen.go", ".github/workflows/deploy.yml",
				`/awsapigateway"`, "awssqs", "cmd/relay", "NewHttpJwtAuthorizer", "OPTIONS", "Authorizer awslambda"}},
		{"rest", "api: {gateway: rest, auth: custom}\n",
			[]string{"infra/api_gen.go", `/awsapigateway"`, `"authorizer"`},
			[]string{"awsapigatewayv2", "CorsPreflight"}},
		{"no gateway", "api: {gateway: none}\n",
			nil, []string{"infra/api_gen.go", "awsapigateway", `"Url"`}},
		{"a consumer", "consumers: {mailer: {events: [OrderShipped]}}\n",
			[]string{"infra/consumers_gen.go", `"consumer-mailer"`}, []string{"awssqs", `"relay"`, "addRelays"}},
		{"two consumers", "consumers: {mailer: {events: [OrderShipped]}, auditor: {events: [OrderPlaced]}}\n",
			[]string{"awssqs", `"relay"`, "Relays.Events", `readQueue("Consumer-mailer", "mailer", &s.Consumers.Mailer, s.Relays.Events, "OrderShipped")`}, []string{"Relay-"}},
		{"three consumers of a view", "consumers: {a: {view: default}, b: {view: default}, c: {view: default}}\n",
			[]string{`"relay-default"`, "Relays.Default", `"view:default"`}, []string{"Relays.Events"}},
		{"a pipeline", "pipeline: {github: {owner: acme, repo: shop}, stages: [{name: prod, approval: true}]}\n",
			[]string{"infra/pipeline_gen.go", "infra/github_gen.go", ".github/workflows/deploy.yml", `{name: "prod", approval: true}`}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			app := infraOf(t, smallService+c.more, nil)
			has := func(what string) bool {
				if _, ok := app[what]; ok {
					return true
				}
				for path, text := range app {
					if strings.HasSuffix(path, ".go") && !strings.Contains(what, ".go") && strings.Contains(text, what) {
						return true
					}
				}
				return false
			}
			for _, want := range c.with {
				if !has(want) {
					t.Errorf("there is no %s", want)
				}
			}
			for _, unwanted := range c.without {
				if has(unwanted) {
					t.Errorf("there is %s", unwanted)
				}
			}
		})
	}
}

// A table goes only when the record of revisions no longer has it.
func TestTablesStayForAsLongAsTheirRevisions(t *testing.T) {
	record := func(before []byte, text string) []byte {
		after, _, err := templates.Revisions(before, load(t, "esgen.yaml", []byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		return after
	}
	report := "  report: {events: [OrderPlaced], fields: {total: decimal}, indexes: {total-of: {key: customer}}}\n"
	report = strings.Replace(report, "{total: decimal}", "{total: decimal, customer: string}", 1)
	revisions := record(nil, smallService+report)
	second := strings.Replace(smallService, "default: {", "default: {revision: 2, ", 1)
	revisions = record(revisions, second) // and without report

	data := infraOf(t, second, revisions)["infra/data_gen.go"]
	for _, want := range []string{
		`d.Views.Default = d.newViewTable("default", 2)`,
		"d.Previous = []ViewTable{\n\t\td.newViewTable(\"default\", 1),\n\t}",
		"d.Kept = []ViewTable{\n\t\td.newViewTable(\"report\", 1, \"total-of\"),\n\t}",
	} {
		if !strings.Contains(data, want) {
			t.Errorf("there is no\n%s\nin\n%s", want, data)
		}
	}
}

// A mapping takes five patterns of 4,096 characters, a subscription 150 types.
func TestFiltersStayWithinTheirBounds(t *testing.T) {
	for _, c := range []struct {
		events, consumers int
		filtered          bool
	}{
		{events: 3, consumers: 1, filtered: true},
		{events: 400, consumers: 1, filtered: true},
		{events: 1000, consumers: 1, filtered: false},
		{events: 150, consumers: 2, filtered: true},
		{events: 151, consumers: 2, filtered: false},
	} {
		t.Run(fmt.Sprintf("%d events, %d consumers", c.events, c.consumers), func(t *testing.T) {
			s := load(t, "esgen.yaml", []byte(smallService))
			var names []string
			for i := range c.events {
				names = append(names, fmt.Sprintf("SomethingOrOtherHappened%04d", i))
				s.Events = append(s.Events, &schema.Event{Name: names[i], Revision: 1})
			}
			for i := range c.consumers {
				s.Consumers = append(s.Consumers, &schema.Consumer{Name: fmt.Sprintf("consumer-%d", i), Events: s.Events[2:]})
			}
			files, err := templates.Files(s, nil)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(files, func(f templates.File) bool { return f.Path == "infra/consumers_gen.go" })
			text := string(files[i].Content)

			var got []string
			if c.consumers == 1 {
				patterns := regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(text, -1)
				if len(patterns) < 1 || len(patterns) > 5 {
					t.Fatalf("%d patterns", len(patterns))
				}
				for _, p := range patterns {
					got = append(got, typesOf(t, p[1])...)
				}
			} else {
				call := regexp.MustCompile(`readQueue\("Consumer-consumer-0".*`).FindString(text)
				for _, name := range regexp.MustCompile(`"(Something[^"]*)"`).FindAllStringSubmatch(call, -1) {
					got = append(got, name[1])
				}
			}
			if want := names; c.filtered && !slices.Equal(got, want) || !c.filtered && len(got) > 0 {
				t.Errorf("asks for %d types of %d", len(got), len(want))
			}
		})
	}
}

// typesOf are the types that a pattern of a stream names.
func typesOf(t *testing.T, pattern string) []string {
	t.Helper()
	if len(pattern) > 4096 {
		t.Errorf("a pattern of %d characters", len(pattern))
	}
	var p struct {
		EventName []string `json:"eventName"`
		DynamoDB  struct {
			NewImage struct {
				Type struct{ S []string } `json:"_type"`
			}
		} `json:"dynamodb"`
	}
	if err := json.Unmarshal([]byte(pattern), &p); err != nil {
		t.Fatalf("%v in %s", err, pattern)
	}
	if !slices.Equal(p.EventName, []string{"INSERT"}) {
		t.Errorf("reads %v", p.EventName)
	}
	return p.DynamoDB.NewImage.Type.S
}

// What package.json pins is what package-lock.json has, and what the pipeline installs.
func TestOneVersionOfTheCDKCommand(t *testing.T) {
	app := infraOf(t, smallService+"pipeline: {github: {owner: acme, repo: shop}, stages: [{name: prod}]}\n", nil)
	var manifest struct {
		Bin, DevDependencies map[string]string
	}
	var lock struct {
		Packages map[string]struct {
			Version, Integrity   string
			Bin, DevDependencies map[string]string
		}
	}
	for path, into := range map[string]any{"infra/package.json": &manifest, "infra/package-lock.json": &lock} {
		if err := json.Unmarshal([]byte(app[path]), into); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	version := manifest.DevDependencies["aws-cdk"]
	if version == "" || strings.Trim(version, "0123456789.") != "" {
		t.Fatalf("package.json pins %q", version)
	}
	if got := lock.Packages["node_modules/aws-cdk"]; got.Version != version || got.Integrity == "" {
		t.Errorf("package-lock.json has %q", got.Version)
	}
	if got := lock.Packages[""]; got.DevDependencies["aws-cdk"] != version || got.Bin["aws-cdk"] != manifest.Bin["aws-cdk"] {
		t.Errorf("package-lock.json is of another package.json: %+v", got)
	}
	if want := fmt.Sprintf("CliVersion: jsii.String(%q)", version); !strings.Contains(regexp.MustCompile(` +`).ReplaceAllString(app["infra/pipeline_gen.go"], " "), want) {
		t.Errorf("the pipeline installs another version than %s", version)
	}
	if script := app["infra/"+manifest.Bin["aws-cdk"]]; !strings.HasPrefix(script, "#!") {
		t.Error("npx aws-cdk does not find the script that package.json names")
	}
}
