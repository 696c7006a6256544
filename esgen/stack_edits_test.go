package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// recordedIDs are the logical ids of tables. CloudFormation takes a table with another id for
// another table, an empty one: these never change, whatever becomes of the CDK, the templates or the schema.
var recordedIDs = []string{"EventsD32975C2", "Progress46A8DAB4", "Viewcustomersummary1058CC965", "Viewdefault1464C3A13", "GivenUp4E100BCE"}

// edit is a change of the schema of a deployed service, and what it may do to the stacks.
type edit struct {
	name string
	old  string // is replaced by new
	new  string
	// added and removed are the resources that come and go, "type id", without the hashes of ids.
	added, removed []string
	// changed are the resources that become different, beside those that only get other code.
	changed []string
	// refolds says that the projector must be another program; else it must be the same.
	refolds bool
}

// edits are made one after the other.
var edits = []edit{
	{
		name: "an event", // which changes programs and nothing else
		old:  "  OrderCancelled:\n", new: "  OrderCancelled:\n  OrderReturned: {fields: {reason: string}}\n",
		refolds: true,
	},
	{
		name: "a view", old: "  customer-summary:\n", new: "  by-carrier:\n    key: carrier\n    events: [OrderShipped]\n    fields: {shipped: int}\n  customer-summary:\n",
		added:   []string{"AWS::CloudWatch::Alarm Lagbycarrier", "AWS::DynamoDB::GlobalTable data/Viewbycarrier1"},
		refolds: true,
		changed: []string{"Dashboard", "Projector", "ProjectorRoleDefaultPolicy", "Query", "QueryRoleDefaultPolicy", "Reconcile", "ReconcileRoleDefaultPolicy"},
	},
	{
		name: "a revision", old: "  default:\n", new: "  default:\n    revision: 2\n",
		added:   []string{"AWS::DynamoDB::GlobalTable data/Viewdefault2"},
		refolds: true,
		changed: []string{"Projector", "ProjectorRoleDefaultPolicy", "Query", "QueryRoleDefaultPolicy", "Reconcile", "ReconcileRoleDefaultPolicy"},
	},
	{
		name: "a view less", old: "  by-carrier:\n    key: carrier\n    events: [OrderShipped]\n    fields: {shipped: int}\n",
		removed: []string{"AWS::CloudWatch::Alarm Lagbycarrier"}, // and not its table
		refolds: true,
		changed: []string{"Dashboard", "Projector", "ProjectorRoleDefaultPolicy", "Query", "QueryRoleDefaultPolicy", "Reconcile", "ReconcileRoleDefaultPolicy"},
	},
	{
		name: "a consumer", old: "api:\n", new: "consumers:\n  mailer: {events: [OrderShipped]}\napi:\n",
		added: []string{
			"AWS::CloudWatch::Alarm Behindconsumermailer", "AWS::CloudWatch::Alarm Errorsconsumermailer", "AWS::CloudWatch::Alarm GivenUpconsumermailer",
			"AWS::CloudWatch::Alarm Slowconsumermailer", "AWS::CloudWatch::Alarm Throttlesconsumermailer",
			"AWS::IAM::Policy ConsumermailerRoleDefaultPolicy", "AWS::IAM::Role ConsumermailerRole", "AWS::Lambda::EventSourceMapping Readconsumermailer",
			"AWS::Lambda::Function Consumermailer", "AWS::Logs::LogGroup ConsumermailerLogs", "Custom::EsgenConsumerStart ConsumermailerStart",
		},
		changed: []string{"Command", "Dashboard"},
	},
	{
		name: "the gateway", old: "  gateway: none\n", new: "  gateway: rest\n  auth: custom\n",
		added: []string{
			"AWS::ApiGateway::Account APIAccount", "AWS::ApiGateway::Authorizer RequestAuthorizer", "AWS::ApiGateway::Deployment APIDeployment",
			"AWS::ApiGateway::Method APIANY", "AWS::ApiGateway::Method APIPOST", "AWS::ApiGateway::Method APIproxyANY",
			"AWS::ApiGateway::Resource APIproxy", "AWS::ApiGateway::RestApi API", "AWS::ApiGateway::Stage APIDeploymentStagelive",
			"AWS::CloudWatch::Alarm Errorsauthorizer", "AWS::CloudWatch::Alarm ServerErrors", "AWS::CloudWatch::Alarm Slowauthorizer",
			"AWS::CloudWatch::Alarm Throttlesauthorizer", "AWS::IAM::Policy AuthorizerRoleDefaultPolicy", "AWS::IAM::Role APICloudWatchRole",
			"AWS::IAM::Role AuthorizerRole", "AWS::Lambda::Function Authorizer",
			"AWS::Lambda::Permission APIANYApiPermissionshopdevAPI5F562C4DANY", "AWS::Lambda::Permission APIPOSTApiPermissionshopdevAPI5F562C4DPOST",
			"AWS::Lambda::Permission APIproxyANYApiPermissionshopdevAPI5F562C4DANYproxy",
			"AWS::Lambda::Permission AuthorizershopdevRequestAuthorizer464957FBPermissions",
			"AWS::Logs::LogGroup AccessLogs", "AWS::Logs::LogGroup AuthorizerLogs",
		},
		changed: []string{"Dashboard"},
	},
}

// TestTablesOutliveEdits: no edit of the schema takes a table away or makes it another, and each does
// to the stacks what it needs and nothing else.
func TestTablesOutliveEdits(t *testing.T) {
	needsCDK(t)
	schema := variant{gateway: "none", auth: "none"}.schema()
	service, err := initialized(schema)
	if err != nil {
		t.Fatal(err)
	}
	before := deployedStage(t, service, "0")
	for _, id := range recordedIDs {
		if before.resources["data/"+id].Type == "" {
			t.Errorf("there is no %s: the deployed one would be left behind, and another begin empty", id)
		}
	}
	for i, e := range edits {
		if !strings.Contains(schema, e.old) {
			t.Fatalf("%s: the schema has no %q", e.name, e.old)
		}
		schema = strings.Replace(schema, e.old, e.new, 1)
		if err := os.WriteFile(filepath.Join(service, "esgen.yaml"), []byte(schema), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := esgen("regenerate", service); err != nil {
			t.Fatal(err)
		}
		after := deployedStage(t, service, fmt.Sprint(i+1))
		t.Run(e.name, func(t *testing.T) {
			checkKeptTables(t, before, after)
			checkDifference(t, e, before, after)
		})
		before = after
	}
}

func deployedStage(t *testing.T, service, name string) *stage {
	t.Helper()
	out := filepath.Join(filepath.Dir(service), "cdk.out."+name)
	if err := synthesize(service, out); err != nil {
		t.Fatal(err)
	}
	return stageOf(t, out, "shop", "dev")
}

// checkKeptTables: whatever held data is there, and is what it was.
func checkKeptTables(t *testing.T, before, after *stage) {
	for id, was := range before.resources {
		if !strings.HasPrefix(id, "data/") {
			continue
		}
		if is, ok := after.resources[id]; !ok {
			t.Errorf("%s is gone", id)
		} else if !reflect.DeepEqual(was, is) {
			t.Errorf("%s was\n%v\nand is\n%v", id, was, is)
		}
	}
}

func checkDifference(t *testing.T, e edit, before, after *stage) {
	var added, removed, changed []string
	for id, r := range after.resources {
		if was, ok := before.resources[id]; !ok {
			added = append(added, r.Type+" "+withoutHash(id))
		} else if !reflect.DeepEqual(withoutCode(was), withoutCode(r)) {
			changed = append(changed, withoutHash(id))
		}
	}
	for id, r := range before.resources {
		if _, ok := after.resources[id]; !ok {
			removed = append(removed, r.Type+" "+withoutHash(id))
		}
	}
	if same := reflect.DeepEqual(before.properties("Projector")["Code"], after.properties("Projector")["Code"]); same == e.refolds {
		t.Errorf("that the projector is the same program as before is %t", same)
	}
	for _, c := range []struct {
		what      string
		got, want []string
	}{{"come", added, e.added}, {"go", removed, e.removed}, {"change", changed, e.changed}} {
		slices.Sort(c.got)
		if !slices.Equal(c.got, c.want) {
			t.Errorf("these %s: %v\nwant %v", c.what, strings.Join(c.got, ", "), strings.Join(c.want, ", "))
		}
	}
}

// withoutHash takes the hash away that the CDK appends to ids.
func withoutHash(id string) string {
	if n := len(id) - 8; n > 0 && strings.Trim(id[n:], "0123456789ABCDEF") == "" {
		return id[:n]
	}
	// A deployment of an API has a hash of the API, too.
	if n := len(id) - 32; n > 0 && strings.Trim(id[n:], "0123456789abcdef") == "" {
		return withoutHash(id[:n])
	}
	return id
}

// withoutCode is a resource as it were if its function had the same code.
func withoutCode(r resource) resource {
	if r.Type != "AWS::Lambda::Function" {
		return r
	}
	p := maps.Clone(r.Properties)
	delete(p, "Code")
	if env, ok := at(p, "Environment", "Variables").(map[string]any); ok && env["ESGEN_DEPLOYMENT"] != nil {
		env = maps.Clone(env)
		env["ESGEN_DEPLOYMENT"] = ""
		p["Environment"] = map[string]any{"Variables": env}
	}
	r.Properties = p
	return r
}
