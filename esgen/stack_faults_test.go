package main

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// fault is something wrong with a stack, and the check that has to see it.
type fault struct {
	name, check string
	plant       func(s *stage)
}

// faults are planted into the stack of a service with relays and an authorizer of its own.
var faults = []fault{
	{"events without recovery", "tables", func(s *stage) { s.replica("data/Events")["PointInTimeRecoverySpecification"] = nil }},
	{"events not protected", "tables", func(s *stage) { s.replica("data/Events")["DeletionProtectionEnabled"] = false }},
	{"events that go with the stack", "tables", func(s *stage) {
		s.change("data/Events", func(r *resource) { r.DeletionPolicy = "Delete" })
	}},
	{"events that expire", "tables", func(s *stage) {
		s.properties("data/Events")["TimeToLiveSpecification"] = map[string]any{"AttributeName": "_time", "Enabled": true}
	}},
	{"a stream of old images", "tables", func(s *stage) {
		s.properties("data/Events")["StreamSpecification"] = map[string]any{"StreamViewType": "OLD_IMAGE"}
	}},
	{"an index less", "tables", func(s *stage) {
		p := s.properties("data/Viewdefault")
		p["GlobalSecondaryIndexes"] = p["GlobalSecondaryIndexes"].([]any)[1:]
	}},
	{"an index that projects everything", "tables", func(s *stage) {
		indexes := s.properties("data/Viewdefault")["GlobalSecondaryIndexes"].([]any)
		indexes[0].(map[string]any)["Projection"] = map[string]any{"ProjectionType": "ALL"}
	}},
	{"a second region", "tables", func(s *stage) {
		p := s.properties("data/Events")
		p["Replicas"] = append(p["Replicas"].([]any), map[string]any{"Region": "eu-west-1"})
	}},
	{"a function less", "functions", func(s *stage) { delete(s.resources, s.id("Relay")) }},
	{"another runtime", "functions", func(s *stage) { s.properties("Query")["Runtime"] = "go1.x" }},
	{"a function that takes longer than the gateway waits", "functions", func(s *stage) { s.properties("Query")["Timeout"] = 60.0 }},
	{"logs for ever", "functions", func(s *stage) { delete(s.properties("CommandLogs"), "RetentionInDays") }},
	{"a table that is not told", "functions", func(s *stage) { delete(s.variables("Projector"), "ESGEN_PROGRESS") }},
	{"a table that is told to who has no use for it", "functions", func(s *stage) {
		s.variables("Command")["ESGEN_VIEWS"] = s.variables("Query")["ESGEN_VIEWS"]
	}},
	{"a table taken for another", "functions", func(s *stage) {
		s.variables("Projector")["ESGEN_EVENTS"] = s.variables("Projector")["ESGEN_PROGRESS"]
	}},
	{"too large an environment", "functions", func(s *stage) { s.variables("Query")["ESGEN_EVENTS"] = strings.Repeat("x", 4096) }},
	{"a shared role", "functions", func(s *stage) { s.properties("Command")["Role"] = s.properties("Projector")["Role"] }},
	{"a name of our own", "names", func(s *stage) { s.properties("data/Progress")["TableName"] = "progress" }},
	{"a third reader", "mappings", func(s *stage) {
		s.properties("Readconsumermailer1")["EventSourceArn"] = s.properties("Readprojector")["EventSourceArn"]
	}},
	{"a mapping that begins with the latest", "mappings", func(s *stage) { s.properties("Readprojector")["StartingPosition"] = "LATEST" }},
	{"retries without end", "mappings", func(s *stage) { delete(s.properties("Readrelay"), "MaximumRetryAttempts") }},
	{"several batches of a shard at a time", "mappings", func(s *stage) { s.properties("Readprojector")["ParallelizationFactor"] = 4.0 }},
	{"given-up batches that are lost", "mappings", func(s *stage) { delete(s.properties("Readprojector"), "DestinationConfig") }},
	{"no filter", "mappings", func(s *stage) { delete(s.properties("Readprojector"), "FilterCriteria") }},
	{"a wrong filter", "mappings", func(s *stage) {
		s.properties("Readconsumerwatcher1")["FilterCriteria"] = s.properties("Readprojector")["FilterCriteria"]
	}},
	{"a queue without order", "queues", func(s *stage) { s.properties("Consumermailer1Queue")["FifoQueue"] = false }},
	{"messages that come back while they are handled", "queues", func(s *stage) { s.properties("Consumermailer1Queue")["VisibilityTimeout"] = 30.0 }},
	{"events that the consumer does not handle", "queues", func(s *stage) { delete(s.properties("Consumermailer1Subscription"), "FilterPolicy") }},
	{"messages in an envelope", "queues", func(s *stage) { delete(s.properties("Consumermailer2Subscription"), "RawMessageDelivery") }},
	{"a queue open to all topics", "queues", func(s *stage) {
		for _, statement := range statements(s.resources[s.id("Consumermailer1QueuePolicy")]) {
			if statement["Effect"] == "Allow" {
				delete(statement, "Condition")
			}
		}
	}},
	{"a queue that takes plain text", "queues", func(s *stage) { delete(s.resources, s.id("Consumermailer1QueuePolicy")) }},
	{"a command function before its readers", "order", func(s *stage) {
		s.change("Command", func(r *resource) { r.DependsOn = nil })
	}},
	{"a consumer that reads before it starts", "order", func(s *stage) {
		s.change("Readconsumermailer1", func(r *resource) { r.DependsOn = nil })
	}},
	{"a relay before its queues", "order", func(s *stage) {
		s.change("Readrelay", func(r *resource) { r.DependsOn = nil })
	}},
	{"all actions", "wildcards", func(s *stage) { s.allow("CommandRole", "dynamodb:*", "${data/Events}") }},
	{"all resources", "wildcards", func(s *stage) { s.allow("CommandRole", "dynamodb:PutItem", "*") }},
	{"all tables", "wildcards", func(s *stage) {
		s.allow("CommandRole", "dynamodb:PutItem", "arn:aws:dynamodb:eu-central-1:123456789012:table/*")
	}},
	{"all but something", "wildcards", func(s *stage) {
		statements(s.resources[s.id("CommandRoleDefaultPolicy")])[0]["NotAction"] = "iam:PassRole"
	}},
	{"anybody", "wildcards", func(s *stage) {
		statements(s.resources[s.id("Consumermailer1QueuePolicy")])[0]["Effect"] = "Allow"
	}},
	{"a command function that scans", "permissions", func(s *stage) { s.allow("CommandRole", "dynamodb:Scan", s.arn("data/Events")) }},
	{"a command function that reads views", "permissions", func(s *stage) { s.allow("CommandRole", "dynamodb:GetItem", s.arn("data/Viewdefault")) }},
	{"a query function that writes", "permissions", func(s *stage) { s.allow("QueryRole", "dynamodb:PutItem", s.arn("data/Viewdefault")) }},
	{"a projector that writes events", "permissions", func(s *stage) { s.allow("ProjectorRole", "dynamodb:PutItem", s.arn("data/Events")) }},
	{"a consumer that deletes events", "permissions", func(s *stage) { s.allow("Consumermailer1Role", "dynamodb:DeleteItem", s.arn("data/Events")) }},
	{"a query function that may not read", "permissions", func(s *stage) {
		for _, statement := range statements(s.resources[s.id("QueryRoleDefaultPolicy")]) {
			if at(statement, "Action") == "dynamodb:Query" {
				statement["Action"] = "dynamodb:GetItem"
			}
		}
	}},
	{"a managed policy", "permissions", func(s *stage) {
		s.properties("QueryRole")["ManagedPolicyArns"] = []any{"arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"}
	}},
	{"a role for another account", "permissions", func(s *stage) {
		document := s.properties("QueryRole")["AssumeRolePolicyDocument"].(map[string]any)
		document["Statement"].([]any)[0].(map[string]any)["Principal"] = map[string]any{"AWS": "123456789012"}
	}},
	{"a route for everybody", "api", func(s *stage) { s.properties("APIPOST")["AuthorizationType"] = "NONE" }},
	{"a route more", "api", func(s *stage) {
		s.resources["Another"] = resource{Type: "AWS::ApiGatewayV2::Route", Properties: map[string]any{
			"RouteKey": "GET /admin", "AuthorizationType": "NONE", "Target": s.properties("APIPOST")["Target"],
		}}
	}},
	{"no throttle", "api", func(s *stage) { delete(s.properties("Stage"), "DefaultRouteSettings") }},
	{"no access log", "api", func(s *stage) { delete(s.properties("Stage"), "AccessLogSettings") }},
	{"queries in the access log", "api", func(s *stage) {
		s.properties("Stage")["AccessLogSettings"].(map[string]any)["Format"] = `{"path":"$context.path","a":"$context.requestId","b":"$context.status","c":"$context.querystring"}`
	}},
	{"answers of the authorizer kept", "api", func(s *stage) {
		for _, id := range s.of("AWS::ApiGatewayV2::Authorizer") {
			s.resources[id].Properties["AuthorizerResultTtlInSeconds"] = 300.0
		}
	}},
	{"every API may invoke", "api", func(s *stage) {
		for _, id := range s.of("AWS::Lambda::Permission") {
			delete(s.resources[id].Properties, "SourceArn")
		}
	}},
	{"a deployment of its own", "functions", func(s *stage) { s.variables("Reconcile")["ESGEN_DEPLOYMENT"] = "0123456789abcdef" }},
	{"a reconcile that scans payloads", "permissions", func(s *stage) { s.allow("ReconcileRole", "dynamodb:Scan", s.arn("data/Events")) }},
	{"a reconcile that scans a view", "permissions", func(s *stage) { s.allow("ReconcileRole", "dynamodb:Scan", s.arn("data/Viewdefault")) }},
	{"a reconcile that cannot find entities", "permissions", func(s *stage) {
		for _, statement := range statements(s.resources[s.id("ReconcileRoleDefaultPolicy")]) {
			if at(statement, "Action") == "dynamodb:Scan" {
				statement["Action"] = "dynamodb:Query"
			}
		}
	}},
	{"no schedule", "schedule", func(s *stage) { delete(s.resources, s.id("ReconcileSchedule")) }},
	{"a schedule that is switched off", "schedule", func(s *stage) { s.properties("ReconcileSchedule")["State"] = "DISABLED" }},
	{"a schedule of another function", "schedule", func(s *stage) {
		s.properties("ReconcileSchedule")["Target"].(map[string]any)["Arn"] = map[string]any{"Fn::GetAtt": []any{s.id("Projector"), "Arn"}}
	}},
	{"a schedule that may invoke every function", "schedule", func(s *stage) { s.allow("ReconcileScheduleRole", "lambda:InvokeFunction", s.arn("Command")) }},
	{"a schedule in the name of a function", "schedule", func(s *stage) {
		s.properties("ReconcileSchedule")["Target"].(map[string]any)["RoleArn"] = s.properties("Reconcile")["Role"]
	}},
	{"a schedule of any account", "schedule", func(s *stage) {
		for _, statement := range allStatements(s.resources[s.id("ReconcileScheduleRole")]) {
			delete(statement, "Condition")
		}
	}},
	{"a schedule before it may invoke", "schedule", func(s *stage) {
		s.change("ReconcileSchedule", func(r *resource) { r.DependsOn = nil })
	}},
	{"runs that meet", "schedule", func(s *stage) {
		for _, id := range s.of("AWS::Lambda::EventInvokeConfig") {
			s.resources[id].Properties["MaximumEventAgeInSeconds"] = 3600.0
		}
	}},
	{"an alarm that an hourly run never raises", "schedule", func(s *stage) { s.properties("Errorsreconcile")["EvaluationPeriods"] = 2.0 }},
	{"a bucket for everybody", "operations", func(s *stage) { delete(s.properties("data/GivenUp"), "PublicAccessBlockConfiguration") }},
	{"no address", "operations", func(s *stage) { delete(s.outputs, "Url") }},
}

// TestStackChecksSeeFaults: a check that sees nothing wrong with a broken stack is none.
func TestStackChecksSeeFaults(t *testing.T) {
	v := variant{gateway: "http", auth: "custom", events: 2, views: 2, cors: true}
	assembly := assemblyOf(t, v.schema())
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			s := stageOf(t, assembly, "shop", "dev")
			f.plant(s)
			if found := foundBy(t, stackChecks[f.check], v, s); len(found) == 0 {
				t.Errorf("the check of %s sees nothing wrong", f.check)
			}
		})
	}
}

// recorder takes what a check finds wrong.
type recorder struct {
	testing.TB
	found []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.found = append(r.found, fmt.Sprintf(format, args...))
}
func (r *recorder) Error(args ...any) { r.found = append(r.found, fmt.Sprint(args...)) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func foundBy(t *testing.T, check func(testing.TB, variant, *stage), v variant, s *stage) []string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(r, v, s)
	}()
	<-done
	return r.found
}

// id finds the one resource whose logical id is a name and the hash that the CDK appends, if any.
func (s *stage) id(name string) string {
	for id := range s.resources {
		rest, ok := strings.CutPrefix(id, name)
		if view := strings.HasPrefix(name, "data/View"); ok && view && len(rest) == 9 {
			rest = rest[1:] // a revision comes before the hash
		}
		if ok && (rest == "" || len(rest) == 8 && strings.Trim(rest, "0123456789ABCDEF") == "") {
			return id
		}
	}
	panic("there is no " + name)
}

func (s *stage) properties(name string) map[string]any { return s.resources[s.id(name)].Properties }

func (s *stage) change(name string, change func(*resource)) {
	id := s.id(name)
	r := s.resources[id]
	change(&r)
	s.resources[id] = r
}

func (s *stage) arn(name string) string { return "${" + s.id(name) + ".Arn}" }

func (s *stage) replica(table string) map[string]any {
	return s.properties(table)["Replicas"].([]any)[0].(map[string]any)
}

func (s *stage) variables(function string) map[string]any {
	return s.properties(function)["Environment"].(map[string]any)["Variables"].(map[string]any)
}

// allow adds a statement to the policy of a role.
func (s *stage) allow(role, action, resource string) {
	document := s.properties(role + "DefaultPolicy")["PolicyDocument"].(map[string]any)
	document["Statement"] = append(document["Statement"].([]any), map[string]any{"Effect": "Allow", "Action": action, "Resource": resource})
}
