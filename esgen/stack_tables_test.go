package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
	"github.com/esgen/esgen/schema"
)

// checkTables: the stack's tables are those that the store works on, and protected.
func checkTables(t testing.TB, v variant, s *stage) {
	want := map[string]string{} // logical id -> its definition
	o := s.operations(t)
	views := viewTables(o.Views)
	for name, definition := range definitionsOf(v.service(t)) {
		id := map[string]string{"events": referred(o.Events), "progress": referred(o.Progress)}[name]
		if id == "" {
			id = views[strings.TrimPrefix(name, "view ")]
		}
		if id == "" {
			t.Errorf("nobody is told the table of %s: %v", name, o)
		}
		want[id] = definition
	}
	tables := s.of("AWS::DynamoDB::GlobalTable")
	if len(tables) != len(want) || len(s.of("AWS::DynamoDB::Table")) > 0 {
		t.Errorf("there are the tables %v, want %d", tables, len(want))
	}
	for _, id := range tables {
		if got := s.definition(t, id); got != want[id] {
			t.Errorf("%s is\n%s\nwant\n%s", id, got, want[id])
		}
		checkProtection(t, s, id, id == referred(o.Events), o.Stage == "dev")
	}
}

// definitionsOf says what the store's tables are like: "events", "progress" and "view V.N".
func definitionsOf(s *schema.Service) map[string]string {
	m := &es.Model{}
	for _, v := range s.Views {
		view := es.View{Name: v.Name, Revision: v.Revision}
		for _, x := range v.Indexes {
			view.Indexes = append(view.Indexes, es.Index{Name: x.Name})
		}
		m.Views = append(m.Views, view)
	}
	tables := dynamo.TablesOf(m, "")
	names := map[string]string{tables.Events: "events", tables.Progress: "progress"}
	for _, v := range tables.Views {
		names[v.Name] = fmt.Sprintf("view %s.%d", v.View, v.Revision)
	}
	all := map[string]string{}
	for _, d := range tables.Definitions() {
		all[names[*d.Create.TableName]] = spelled(d)
	}
	return all
}

// spelled is a definition as lines of text: what it is to be compared by.
func spelled(d dynamo.Definition) string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	add("billing %s", d.Create.BillingMode)
	add("key%s", keySchema(d.Create.KeySchema))
	for _, a := range d.Create.AttributeDefinitions {
		add("attribute %s %s", *a.AttributeName, a.AttributeType)
	}
	for _, x := range d.Create.LocalSecondaryIndexes {
		add("local index %s%s %s", *x.IndexName, keySchema(x.KeySchema), projection(x.Projection))
	}
	for _, x := range d.Create.GlobalSecondaryIndexes {
		add("global index %s%s %s", *x.IndexName, keySchema(x.KeySchema), projection(x.Projection))
	}
	if stream := d.Create.StreamSpecification; stream != nil {
		add("stream %s", stream.StreamViewType)
	}
	if d.Expiry != "" {
		add("expiry %s", d.Expiry)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func keySchema(elements []types.KeySchemaElement) string {
	var b strings.Builder
	for _, e := range elements {
		fmt.Fprintf(&b, " %s:%s", *e.AttributeName, e.KeyType)
	}
	return b.String()
}

func projection(p *types.Projection) string {
	return strings.TrimSpace(string(p.ProjectionType) + " " + strings.Join(slices.Sorted(slices.Values(p.NonKeyAttributes)), " "))
}

// definition spells a table of the template. Whatever it has beside what a definition says and what
// protects it is an error.
func (s *stage) definition(t testing.TB, id string) string {
	t.Helper()
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for name, value := range s.resources[id].Properties {
		switch name {
		case "BillingMode":
			add("billing %v", value)
		case "KeySchema":
			add("key%s", keySchemaText(value))
		case "AttributeDefinitions":
			for _, a := range value.([]any) {
				add("attribute %v %v", at(a, "AttributeName"), at(a, "AttributeType"))
			}
		case "LocalSecondaryIndexes", "GlobalSecondaryIndexes":
			kind := strings.ToLower(strings.TrimSuffix(name, "SecondaryIndexes"))
			for _, x := range value.([]any) {
				add("%s index %v%s %s", kind, at(x, "IndexName"), keySchemaText(at(x, "KeySchema")), s.projection(at(x, "Projection")))
			}
		case "StreamSpecification":
			add("stream %v", at(value, "StreamViewType"))
		case "TimeToLiveSpecification":
			add("expiry %v", at(value, "AttributeName"))
			if at(value, "Enabled") != true {
				t.Errorf("%s: its time to live is not enabled", id)
			}
		case "Replicas":
		default:
			t.Errorf("%s has %s: %v", id, name, value)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func keySchemaText(v any) string {
	var b strings.Builder
	for _, e := range v.([]any) {
		fmt.Fprintf(&b, " %v:%v", at(e, "AttributeName"), at(e, "KeyType"))
	}
	return b.String()
}

func (s *stage) projection(v any) string {
	attributes := s.texts(at(v, "NonKeyAttributes"))
	slices.Sort(attributes)
	return strings.TrimSpace(text(at(v, "ProjectionType")) + " " + strings.Join(attributes, " "))
}

// checkProtection: nothing takes the events away, in no stage; everywhere but in dev nothing takes any table away.
func checkProtection(t testing.TB, s *stage, id string, events, dev bool) {
	t.Helper()
	r := s.resources[id]
	replicas, _ := r.Properties["Replicas"].([]any)
	if len(replicas) != 1 || s.text(at(replicas, "Region")) != "${AWS::Region}" {
		t.Fatalf("%s has the replicas %v, want one in the stack's region: a stream of more takes one reader only", id, replicas)
	}
	if recovery := at(replicas, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"); events && recovery != true {
		t.Errorf("%s: point-in-time recovery is %v", id, recovery)
	}
	protected := at(replicas, "DeletionProtectionEnabled") == true
	if events || !dev {
		if !protected || r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s: protected %t, when deleted %s, when replaced %s", id, protected, r.DeletionPolicy, r.UpdateReplacePolicy)
		}
		return
	}
	// What dev does not want any more must be able to go.
	if protected || r.DeletionPolicy != "Delete" || r.UpdateReplacePolicy != "Delete" {
		t.Errorf("%s of dev: protected %t, when deleted %s, when replaced %s", id, protected, r.DeletionPolicy, r.UpdateReplacePolicy)
	}
}

// The stages of a pipeline are as protected as can be.
func TestDataOfOtherStagesStays(t *testing.T) {
	v := variants[0]
	assembly := assemblyOf(t, v.schema())
	found := 0
	for _, name := range []string{"test", "prod"} {
		s := stageOf(t, pipelineStage(assembly, "shop", name), "shop", name)
		events := referred(s.operations(t).Events)
		for _, id := range s.of("AWS::DynamoDB::GlobalTable") {
			found++
			checkProtection(t, s, id, id == events, false)
		}
	}
	if found != 2*4 {
		t.Errorf("%d tables in the stages test and prod, want 8", found)
	}
}
