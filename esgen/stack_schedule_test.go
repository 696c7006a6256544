package main

import (
	"slices"
	"testing"
)

// checkSchedule: one schedule invokes reconcile, every hour, as a role that may do that and nothing
// else; what could not be done in time is left to the next run.
func checkSchedule(t testing.TB, _ variant, s *stage) {
	reconcile := s.functions(t)["reconcile"]
	all := s.of("AWS::Scheduler::Schedule")
	if len(all) != 1 {
		t.Fatalf("the schedules are %v", all)
	}
	id := all[0]
	for property, want := range map[string]string{"ScheduleExpression": "rate(1 hour)", "State": "ENABLED"} {
		if got := s.property(id, property); got != want {
			t.Errorf("%s of the schedule is %q, want %q", property, got, want)
		}
	}
	if name := s.resources[id].Properties["Name"]; name != nil {
		t.Errorf("it has the name %v: two stacks could not stand side by side", name)
	}
	if mode := s.property(id, "FlexibleTimeWindow", "Mode"); mode != "OFF" {
		t.Errorf("its window is %q", mode)
	}
	if arn, input := s.property(id, "Target", "Arn"), s.property(id, "Target", "Input"); arn != "${"+reconcile+".Arn}" || input != "{}" {
		t.Errorf("it invokes %s with %q", arn, input)
	}
	role := referred(s.property(id, "Target", "RoleArn"))
	checkScheduleRole(t, s, id, role, reconcile)

	// An invocation that waits for longer than runs are apart would meet the next one.
	const apart = 3600
	timeout, _ := s.resources[reconcile].Properties["Timeout"].(float64)
	delivered := at(s.resources[id].Properties, "Target", "RetryPolicy", "MaximumEventAgeInSeconds")
	configs := s.of("AWS::Lambda::EventInvokeConfig")
	if len(configs) != 1 || referred(s.property(configs[0], "FunctionName")) != reconcile || s.property(configs[0], "Qualifier") != "$LATEST" {
		t.Fatalf("%v say how reconcile is tried again", configs)
	}
	p := s.resources[configs[0]].Properties
	if p["MaximumRetryAttempts"] != 0.0 || !within(delivered, 60, 86_400) || !within(p["MaximumEventAgeInSeconds"], 60, 21_600) {
		t.Errorf("it is tried again %v times, delivered within %v, begun within %v", p["MaximumRetryAttempts"], delivered, p["MaximumEventAgeInSeconds"])
	} else if delivered.(float64)+p["MaximumEventAgeInSeconds"].(float64)+timeout >= apart {
		t.Error("a run may still go on when the next one begins")
	}
	// One that fails is seen, though the next is an hour later.
	for _, alarm := range []string{"Errorsreconcile", "Throttlesreconcile", "Slowreconcile", "Quarantinedreconcile"} {
		if periods := s.properties(alarm)["EvaluationPeriods"]; periods != 1.0 {
			t.Errorf("the alarm %s wants %v periods in a row", alarm, periods)
		}
	}
}

func checkScheduleRole(t testing.TB, s *stage, schedule, role, function string) {
	t.Helper()
	want := permission{"lambda:InvokeFunction", "${" + function + ".Arn}"}
	if got := s.permissionsOf(t, role); !slices.Equal(got, []permission{want}) {
		t.Errorf("the schedule may do %v, want %v", got, want)
	}
	for _, policy := range s.of("AWS::IAM::Policy") {
		if slices.Contains(s.texts(s.resources[policy].Properties["Roles"]), "${"+role+"}") && !s.after(schedule, policy) {
			t.Error("the schedule is made before it may invoke anything")
		}
	}
	for _, statement := range allStatements(s.resources[role]) {
		if service := s.text(at(statement, "Principal", "Service")); service != "scheduler.amazonaws.com" {
			t.Errorf("its role can be taken on by %v", statement["Principal"])
		}
		if account := s.text(at(statement, "Condition", "StringEquals", "aws:SourceAccount")); account != "${AWS::AccountId}" {
			t.Errorf("its role can be taken on for the account %q", account)
		}
	}
}
