package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Actions for which AWS knows no resources: they are allowed on "*" or not at all.
var withoutResources = map[string]string{
	"xray:PutTraceSegments":    "X-Ray has no resources: traces go to the account",
	"xray:PutTelemetryRecords": "X-Ray has no resources: traces go to the account",
}

// checkWildcards: whoever may do something may do what is named to what is named.
func checkWildcards(t testing.TB, _ variant, s *stage) {
	for id, r := range s.resources {
		for _, statement := range allStatements(r) {
			if statement["Effect"] == "Deny" {
				continue
			}
			if statement["NotAction"] != nil || statement["NotResource"] != nil || statement["NotPrincipal"] != nil {
				t.Errorf("%s allows all but something: %v", id, statement)
			}
			if p := statement["Principal"]; p == "*" || at(p, "AWS") == "*" {
				t.Errorf("%s lets anybody in: %v", id, statement)
			}
			actions := s.texts(statement["Action"])
			for _, action := range actions {
				if strings.Contains(action, "*") || !strings.Contains(action, ":") {
					t.Errorf("%s allows %s", id, action)
				}
			}
			for _, resource := range s.texts(statement["Resource"]) {
				checkWildcard(t, id, actions, resource)
			}
		}
	}
}

func checkWildcard(t testing.TB, id string, actions []string, resource string) {
	t.Helper()
	for _, action := range actions {
		base, wild := strings.CutSuffix(resource, "*")
		switch {
		case !wild && !strings.Contains(resource, "*"):
		case base == "" && withoutResources[action] != "":
		case action == "s3:PutObject" && strings.HasPrefix(base, "${data/GivenUp") && strings.HasSuffix(base, "/"):
			// Lambda chooses the keys of what is given up.
		case isStreamRead(action) && strings.HasPrefix(base, "${data/") && strings.HasSuffix(base, ".Arn}/stream/"):
			// All streams that one table has had: ListStreams has no finer resource.
		default:
			t.Errorf("%s allows %s on %s", id, action, resource)
		}
	}
}

func isStreamRead(action string) bool {
	return slices.Contains([]string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}, action)
}

// allStatements are those of whatever policies a resource has.
func allStatements(r resource) []map[string]any {
	all := statements(r)
	for _, document := range []any{r.Properties["AssumeRolePolicyDocument"], r.Properties["Policy"], r.Properties["KeyPolicy"]} {
		list, _ := at(document, "Statement").([]any)
		for _, item := range list {
			all = append(all, item.(map[string]any))
		}
	}
	return all
}

// Actions of DynamoDB by what they do to items.
var (
	changingItems = []string{
		"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
		"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete",
	}
	readingItems = []string{"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:ConditionCheckItem"}
)

// checkPermissions: what each kind of function may do at most, and what it cannot do without. What
// the functions do is tested where they run, with these policies enforced.
func checkPermissions(t testing.TB, v variant, s *stage) {
	o := s.operations(t)
	arn := func(reference string) string { return strings.TrimSuffix(reference, "}") + ".Arn}" }
	events, progress, givenUp := arn(o.Events), arn(o.Progress), arn(o.GivenUp)
	byEvent := events + "/index/byEvent"
	var views, indexes []string
	for _, view := range v.service(t).Views {
		table := "${" + viewTables(o.Views)[fmt.Sprintf("%s.%d", view.Name, view.Revision)] + ".Arn}"
		views = append(views, table)
		for _, x := range view.Indexes {
			indexes = append(indexes, table+"/index/by-"+x.Name)
		}
	}
	mappings := s.mappings(t)
	for name, function := range s.functions(t) {
		most := map[string][]string{}
		allow := func(resources []string, actions ...string) {
			for _, r := range resources {
				most[r] = append(most[r], actions...)
			}
		}
		need := []permission{{"logs:PutLogEvents", arn(s.property(function, "LoggingConfig", "LogGroup"))}, {"xray:PutTraceSegments", "*"}}
		allow([]string{arn(s.property(function, "LoggingConfig", "LogGroup"))}, "logs:CreateLogStream", "logs:PutLogEvents")
		allow([]string{"*"}, "xray:PutTraceSegments", "xray:PutTelemetryRecords")
		if m, ok := mappings[name]; ok && m.stream {
			stream := "${" + m.source + ".Arn}/stream/*"
			allow([]string{stream}, "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
			allow([]string{givenUp}, "s3:ListBucket")
			allow([]string{givenUp + "/*"}, "s3:PutObject")
			need = append(need, permission{"dynamodb:GetRecords", stream}, permission{"s3:PutObject", givenUp + "/*"}, permission{"s3:ListBucket", givenUp})
		} else if ok {
			queue := "${" + m.source + ".Arn}"
			allow([]string{queue}, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility")
			need = append(need, permission{"sqs:ReceiveMessage", queue}, permission{"sqs:DeleteMessage", queue}, permission{"sqs:GetQueueAttributes", queue})
		}
		switch kind, _, _ := strings.Cut(name, "-"); kind {
		case "command": // appends, and reads what that takes; no Scan, no view
			allow([]string{events, byEvent}, readingItems...)
			allow([]string{events}, "dynamodb:PutItem")
			need = append(need, permission{"dynamodb:PutItem", events}, permission{"dynamodb:Query", events}, permission{"dynamodb:Query", byEvent})
		case "query": // changes nothing
			allow(slices.Concat([]string{events, byEvent, progress}, views, indexes), readingItems...)
			allow(views, "dynamodb:Scan")
			need = append(need, permission{"dynamodb:Query", events}, permission{"dynamodb:GetItem", views[0]}, permission{"dynamodb:Scan", views[0]},
				permission{"dynamodb:Query", indexes[0]})
		case "projector": // reads events, writes everything else
			allow([]string{events}, readingItems...)
			allow(append(views, progress), slices.Concat(readingItems, changingItems)...)
			need = append(need, permission{"dynamodb:Query", events}, permission{"dynamodb:PutItem", views[1]}, permission{"dynamodb:PutItem", progress})
		case "reconcile": // as the projector, and finds entities and entries
			allow([]string{events}, readingItems...)
			allow([]string{byEvent}, "dynamodb:Scan") // has no payloads; of the events themselves nobody scans
			allow(append(views, progress), slices.Concat(readingItems, changingItems)...)
			need = append(need, permission{"dynamodb:Query", events}, permission{"dynamodb:Scan", byEvent}, permission{"dynamodb:PutItem", views[1]},
				permission{"dynamodb:PutItem", progress}, permission{"dynamodb:Query", progress})
		case "relay":
			topic := s.environment(function)["ESGEN_TOPIC"]
			allow([]string{topic}, "sns:Publish")
			allow([]string{progress}, "dynamodb:PutItem")
			need = append(need, permission{"sns:Publish", topic})
		case "consumer": // appends as the command does, and remembers what it has handled
			allow([]string{events, byEvent}, readingItems...)
			allow([]string{events}, "dynamodb:PutItem")
			allow([]string{progress}, slices.Concat(readingItems, changingItems)...)
			need = append(need, permission{"dynamodb:PutItem", events}, permission{"dynamodb:Query", byEvent}, permission{"dynamodb:PutItem", progress})
		}
		got := s.permissions(t, function)
		for _, p := range got {
			if !slices.Contains(most[p.resource], p.action) {
				t.Errorf("%s may do %s on %s", name, p.action, p.resource)
			}
		}
		for _, p := range need {
			if !slices.Contains(got, p) {
				t.Errorf("%s may not do %s on %s", name, p.action, p.resource)
			}
		}
	}
	checkRoles(t, s)
}

// checkRoles: only the services that need a role can take it on.
func checkRoles(t testing.TB, s *stage) {
	for _, id := range s.of("AWS::IAM::Role") {
		for _, statement := range allStatements(s.resources[id]) {
			service := s.text(at(statement, "Principal", "Service"))
			if service == "scheduler.amazonaws.com" && strings.HasPrefix(id, "ReconcileScheduleRole") {
				continue // see checkSchedule
			}
			if service != "lambda.amazonaws.com" && (service != "apigateway.amazonaws.com" || len(s.of("AWS::ApiGateway::Account")) != 1) {
				t.Errorf("%s can be taken on by %v", id, statement["Principal"])
			}
		}
	}
}
