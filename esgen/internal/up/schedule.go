package up

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/esgen/esgen/esgen/internal/assembly"
	"github.com/esgen/esgen/esgen/internal/cloud/lambda"
	"github.com/esgen/esgen/esgen/internal/cloud/scheduler"
)

// schedules invoke functions until the stand is closed.
type schedules struct {
	mu      sync.Mutex
	all     map[string]*schedule // by the path of the resource
	running sync.WaitGroup
}

// schedule invokes a function, in the name of a role.
type schedule struct {
	function, role string // ARNs
	input          []byte
	rate           time.Duration
	off            bool
	stop           func() // nil while its timer does not run
}

func makeSchedule(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	made := &schedule{off: p.Choice("State", "ENABLED", "DISABLED") == "DISABLED"}
	var err error
	if made.rate, err = scheduler.Rate(p.Needed("ScheduleExpression")); err != nil {
		p.Refuse("ScheduleExpression", "%v", err)
	}
	window := p.Object("FlexibleTimeWindow")
	window.Choice("Mode", "OFF", "FLEXIBLE")
	window.Ignore("MaximumWindowInMinutes") // at the window's begin is within the window
	target := p.Object("Target")
	made.function, made.role, made.input = target.Needed("Arn"), target.Needed("RoleArn"), []byte(target.Needed("Input"))
	bounded(target.Object("RetryPolicy"), map[string][2]int{"MaximumEventAgeInSeconds": {60, 86_400}, "MaximumRetryAttempts": {0, 185}})
	name := p.String("Name")
	p.Ignore("Description", "ScheduleExpressionTimezone")
	return func(context.Context) error {
		if s.roleOf[made.function] == nil {
			return fmt.Errorf("its target is no function here: %s", made.function)
		}
		role := s.roles[made.role]
		if role == nil {
			return fmt.Errorf("the role %s is not one of the stacks here", made.role)
		}
		if err := role.trusts("scheduler.amazonaws.com", s.Account); err != nil {
			return fmt.Errorf("the schedule cannot take on its role: %w", err)
		}
		if lacks := role.lacks(made.function, "lambda:InvokeFunction"); lacks != "" {
			return fmt.Errorf("the schedule's role does not allow %s", lacks)
		}
		s.replaceSchedule(r.Path, made)
		name := or(name, s.physical(r, 64))
		r.Created(name, map[string]any{"Arn": "arn:aws:scheduler:" + s.Region + ":" + s.Account + ":schedule/default/" + name})
		return nil
	}
}

// bounded refuses numbers that AWS does.
func bounded(p *assembly.Reader, bounds map[string][2]int) {
	for name, b := range bounds {
		if n := p.Int(name, b[0]); n < b[0] || n > b[1] {
			p.Refuse(name, "%d is not from %d to %d", n, b[0], b[1])
		}
	}
}

// makeAsync takes what becomes of a function's invocations that nobody waits for.
func makeAsync(s *Stand, p *assembly.Reader) func(context.Context) error {
	r := p.Resource()
	function := p.Needed("FunctionName")
	p.Choice("Qualifier", "$LATEST")
	a := lambda.Async{Retries: p.Int("MaximumRetryAttempts", 2), MaxAge: seconds(p.Int("MaximumEventAgeInSeconds", 21_600))}
	if a.Retries < 0 || a.Retries > 2 {
		p.Refuse("MaximumRetryAttempts", "%d is not from 0 to 2", a.Retries)
	}
	if a.MaxAge < time.Minute || a.MaxAge > 6*time.Hour {
		p.Refuse("MaximumEventAgeInSeconds", "%v is not from a minute to six hours", a.MaxAge)
	}
	return func(context.Context) error {
		r.Created(s.physical(r, 100), nil)
		return s.host.SetAsync(function, a)
	}
}

// replaceSchedule puts a schedule in the place of what an update finds; nil takes it away.
func (s *Stand) replaceSchedule(path string, made *schedule) {
	s.schedules.mu.Lock()
	defer s.schedules.mu.Unlock()
	was := s.schedules.all[path]
	if was != nil && was.stop != nil {
		if made != nil && !made.off && made.rate == was.rate {
			made.stop = was.stop // its timer goes on
		} else {
			was.stop()
		}
	}
	if delete(s.schedules.all, path); made != nil {
		s.schedules.all[path] = made
	}
}

// startSchedules starts the timers that do not run yet.
func (s *Stand) startSchedules() {
	s.schedules.mu.Lock()
	defer s.schedules.mu.Unlock()
	for path, c := range s.schedules.all {
		if c.off || c.stop != nil {
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		c.stop = cancel
		s.schedules.running.Go(func() {
			scheduler.Run(ctx, c.rate, func() {
				if result, err := s.invokeScheduled(ctx, path); ctx.Err() == nil && (err != nil || result.FunctionError != "") {
					s.options.Log(s.shown(nameIn(c.function)), fmt.Sprintf("its schedule invoked it in vain: %v %s", err, result.Payload))
				}
			})
		})
	}
}

func (s *Stand) invokeScheduled(ctx context.Context, path string) (lambda.Result, error) {
	s.schedules.mu.Lock()
	c := s.schedules.all[path]
	s.schedules.mu.Unlock()
	if c == nil || c.off {
		return lambda.Result{}, errors.New("the schedule is switched off")
	}
	return s.host.InvokeAsync(ctx, c.function, c.input)
}

// stopSchedules returns when no timer runs and nothing that they invoked is waited for. Functions end
// with their host.
func (s *Stand) stopSchedules() {
	s.schedules.mu.Lock()
	defer s.schedules.mu.Unlock()
	for _, c := range s.schedules.all {
		if c.stop != nil {
			c.stop()
		}
	}
}

// Fire has the schedule of a function, by its name in the app, invoke it now, beside its timer. It returns
// what the last of the tries came to.
func (s *Stand) Fire(ctx context.Context, function string) (lambda.Result, error) {
	arn := s.host.ARN(or(s.Functions[function], function))
	s.schedules.mu.Lock()
	path := ""
	for at, c := range s.schedules.all {
		if c.function == arn {
			path = at
		}
	}
	s.schedules.mu.Unlock()
	if path == "" {
		return lambda.Result{}, fmt.Errorf("no schedule invokes %s", function)
	}
	return s.invokeScheduled(ctx, path)
}

// nameIn is a function's name in its ARN.
func nameIn(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// trusts reports why a service may not take on the role.
func (r *role) trusts(service, account string) error {
	var policy struct {
		Statement []struct {
			Effect    string
			Action    texts
			Principal struct{ Service texts }
			Condition map[string]map[string]texts
		}
	}
	if err := json.Unmarshal(r.trust, &policy); err != nil {
		return fmt.Errorf("its trust is no policy: %w", err)
	}
	for _, st := range policy.Statement {
		if st.Effect != "Allow" || !slices.Contains(st.Action, "sts:AssumeRole") || !slices.Contains(st.Principal.Service, service) {
			continue
		}
		for operator, conditions := range st.Condition {
			for key, values := range conditions {
				if operator != "StringEquals" || key != "aws:SourceAccount" {
					return fmt.Errorf("the condition %s %s is not evaluated here", operator, key)
				}
				if !slices.Contains(values, account) {
					return fmt.Errorf("it is for the accounts %v", values)
				}
			}
		}
		return nil
	}
	return fmt.Errorf("%s may not assume the role %s", service, r.name)
}
