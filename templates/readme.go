package templates

import (
	"fmt"
	"strings"

	"github.com/esgen/esgen/schema"
)

// readme is the first page of a new service: how to run, post, read, change and
// test it.
func readme(s *schema.Service) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", s.Name)
	if s.Description != "" {
		fmt.Fprintf(&b, "%s\n\n", s.Description)
	}
	fmt.Fprintf(&b, `An event-sourced service, generated from [esgen.yaml](esgen.yaml): it takes the events of %s over HTTP,
keeps them for good, and answers with views that are folded from them.

## Run it

    esgen dev

builds the service, serves it on http://localhost:8080 and does both again whenever the schema or the code changes. It prints a
ready `+"`curl`"+` for every event. Without esgen, `+"`go run ./cmd/local`"+` serves it just as well. The events are kept in
`+"`.esgen/local/`"+`; delete that folder to start over.

## Post and read

An event is a flat JSON object with its `+"`type`, the key `%s`"+` and its fields:

`, plural(s.Entity.Name), s.Entity.Key)
	if e := firstEvent(s); e != nil {
		body := sampleBody(s, e)
		fmt.Fprintf(&b, "    curl -i localhost:8080/ -H 'Content-Type: application/json' -d '%s'\n\n", strings.ReplaceAll(body, "'", `'\''`))
	}
	id := sampleID(s)
	fmt.Fprintf(&b, "    curl localhost:8080/events/%s          # the history of one %s\n", id, strings.ReplaceAll(s.Entity.Name, "-", " "))
	for _, v := range s.Views {
		writeViewCalls(&b, s, v, id)
	}
	fmt.Fprintf(&b, `
The answer to a post says that the event is stored; views follow a moment later. A read of one record
with `+"`?minVersion=N`"+`, N being the version that the post answered, has that event in any case (in views keyed by `+"`%s`"+`).

## Change it

1. Edit `+"`esgen.yaml`"+`: add an event, a field, a view.
2. `+"`esgen regenerate`"+` brings the generated files up to date (`+"`esgen dev`"+` does it by itself) and lists what is left to do.
3. Fill in the new stubs in `+"`views/`"+`. A new stub copies the fields that view and event share.

A new view needs a name, the events it folds and its fields:

%s
| folder | whose |
|---|---|
| `+"`esgen.yaml`, `README.md`, `go.mod`"+` | yours |
| `+"`views/<view>/`"+` | the aggregators and their tests are yours, `+"`*_gen.go`"+` is esgen's |
| `+"`consumers/<consumer>/`"+` | the handlers are yours, `+"`*_gen.go`"+` is esgen's |
| `+"`upcasts/`"+` | yours: from an older revision of an event to the next |
| `+"`authorizer/`"+` | yours, with `+"`auth: custom`"+`: who may call |
| `+"`infra/`"+` | the CDK app: `+"`*_gen.go`"+` is esgen's, `+"`own.go`"+` and the rest are yours |
| `+"`events/`, `types/`, `cmd/`, `.esgen/`"+` | esgen's: regenerate writes them, check them in |

Regenerate never touches a file of yours: move and group functions as you like.

## Test it

    go test ./...

Each view has a `+"`view_test.go`"+` to start from: given these events, want these records.

## Deploy it

You need credentials for an AWS account, Node.js 22 or newer, and once per account and region `+"`cd infra && npx aws-cdk bootstrap`"+`.

    cd infra
    npx aws-cdk deploy %[3]s-dev               # the stage dev: %[3]s-dev-data, which has the tables, and %[3]s-dev
    npx aws-cdk deploy %[3]s-prod -c stage=prod

The first run compiles the CDK, which takes a minute or two. The output `+"`Url`"+` is where the service answers. `+"`esgen up`"+` runs the
same stack on this machine. What is yours to add or to change belongs into `+"`infra/own.go`"+`; `+"`cd infra && go test ./...`"+` tests it.
`+"`-c alarmEmail=you@example.com`"+` mails alarms, `+"`-c target=linux/amd64`"+` builds for x86. Events, and outside of dev also views, outlive
their stacks. If your account restricts what CloudFormation may do, allow it `+"`cloudformation:DescribeStacks`"+`.

Every hour a function compares 1,000 entities with their histories and mends views that have missed something, as when a batch was
given up. What that costs, and how own.go has it run more seldom, compare more or stop, is in `+"`infra/reconcile_gen.go`"+`.

    esgen status --stack %[3]s-dev             # how far the views are, what waits and why
    esgen redrive --stack %[3]s-dev            # deliver again what was given up
`, s.Entity.Key, sampleView(s), s.Name)
	if s.Pipeline != nil {
		fmt.Fprintf(&b, `
`+"`npx aws-cdk deploy %[1]s-pipeline`"+`, once, makes a pipeline that follows the branch, itself included. It needs the ARN of a
CodeConnections connection in esgen.yaml, or as `+"`connection`"+` in the context of cdk.json; `+"`sourceFolder`"+` there says where in the
repository the service is. The light alternative is GitHub Actions: deploy %[1]s-github, once, and set the repository's variables
AWS_DEPLOY_ROLE (the output RoleArn) and AWS_REGION. Both build from the repository alone: a `+"`replace`"+` in go.mod that leads out of
it does not work there.
`, s.Name)
	}
	return []byte(b.String())
}

func firstEvent(s *schema.Service) *schema.Event {
	for _, e := range s.Events {
		if e.FromNone {
			return e
		}
	}
	if len(s.Events) > 0 {
		return s.Events[0]
	}
	return nil
}

// writeViewCalls shows how one view is read.
func writeViewCalls(b *strings.Builder, s *schema.Service, v *schema.View, id string) {
	path := "/" + v.Name
	if v.Name == "default" {
		path = "/"
	}
	line := func(call, what string) { fmt.Fprintf(b, "    curl %-38s # %s\n", call, what) }
	line("localhost:8080"+path, "the view "+v.Name)
	switch {
	case v.KeyedByEntity && v.Name == "default":
		line("localhost:8080/"+id, "one record")
	case v.KeyedByEntity:
		line("localhost:8080"+path+"/"+id, "one record")
	}
	for _, ix := range v.Indexes {
		value := "..."
		if ix.Key.Type.Kind == schema.Enum && len(ix.Key.Type.Values) > 0 {
			value = ix.Key.Type.Values[0]
		}
		line(fmt.Sprintf("'localhost:8080%s?%s=%s'", path, ix.Name, value), "through an index")
	}
}

// sampleView is a view that the schema of the service would take.
func sampleView(s *schema.Service) string {
	e := firstEvent(s)
	if e == nil {
		return ""
	}
	name := schema.GoFile(e.Name)
	return fmt.Sprintf("    views:\n      %s:\n        events: [%s]\n        fields: {count: int}\n",
		strings.ReplaceAll(name, "_", "-")+"-count", e.Name)
}
