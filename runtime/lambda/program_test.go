package lambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	es "github.com/esgen/esgen/runtime"
	"github.com/esgen/esgen/runtime/dynamo"
)

var environment = map[string]string{
	"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
	"ESGEN_EVENTS": "events", "ESGEN_PROGRESS": "progress", "ESGEN_VIEWS": "default.2=v-2 default.1=v-1",
}

// TestAFunctionDoesNotStartWithoutItsTables: a projector without a table would fold into nothing.
func TestAFunctionDoesNotStartWithoutItsTables(t *testing.T) {
	m := &es.Model{Views: []es.View{{Name: "default", Revision: 2}}}
	layouts := []dynamo.ViewTable{{View: "default", Revision: 2, Shards: 4}, {View: "default", Revision: 1, Shards: 4}}
	for _, c := range []struct{ name, value, says string }{
		{"", "", ""},
		{"ESGEN_VIEWS", "default.2=v-2", ""},
		{"ESGEN_EVENTS", "", "ESGEN_EVENTS"},
		{"ESGEN_VIEWS", "", "ESGEN_VIEWS"},
		{"ESGEN_VIEWS", "default.1=v-1", "revision 2 of the view default"},
		{"ESGEN_VIEWS", "default.3=v-3", "default.3"},
		{"AWS_REGION", "", "AWS_REGION"},
	} {
		env := maps.Clone(environment)
		env[c.name] = c.value
		p := &program{getenv: func(name string) string { return env[name] }}
		stores, err := p.store(m, layouts, dynamo.EnvEvents, dynamo.EnvProgress, dynamo.EnvViews)
		if c.says == "" {
			if err != nil || stores.Events == nil || stores.Views == nil || stores.Progress == nil {
				t.Errorf("%s=%s: %v", c.name, c.value, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s=%s: %v, want %s", c.name, c.value, err, c.says)
		}
	}
}

func TestHowManyEntitiesARunCompares(t *testing.T) {
	for value, want := range map[string]int{"0": 0, "1000": 1000, "": -1, "-1": -1, "all": -1, "1e3": -1} {
		p := &program{getenv: func(string) string { return value }}
		if n, err := p.entities(); (err == nil) != (want >= 0) || err == nil && n != want {
			t.Errorf("%q: %d, %v", value, n, err)
		}
	}
}

func TestLinesOfTheLogNameTheInvocation(t *testing.T) {
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "i-1"})
	for level, want := range map[string]string{
		"": "WARN ERROR", "nonsense": "WARN ERROR", "error": "ERROR", "INFO": "INFO WARN ERROR", "debug": "DEBUG INFO WARN ERROR",
	} {
		var b bytes.Buffer
		log := newLogger(&b, level).With("a", 1)
		for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			log.Log(ctx, l, "x")
		}
		var got []string
		for line := range strings.Lines(b.String()) {
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil || fields["awsRequestId"] != "i-1" || fields["a"] != 1.0 {
				t.Errorf("%s: %v", line, err)
			}
			got = append(got, fmt.Sprint(fields["level"]))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("level %q: %v, want %s", level, got, want)
		}
	}
}

// TestMetricsOfManyViews: CloudWatch takes 100 metrics in one directive, and leaves out a line with more.
func TestMetricsOfManyViews(t *testing.T) {
	o := Options{Function: `f"1`}
	for _, n := range []int{1, 100, 101, 250} {
		m := o.newMetrics()
		for i := range n {
			m.duration(fmt.Sprint("Lag.view-", i), time.Duration(i)*time.Millisecond)
		}
		var b bytes.Buffer
		m.write(&b)
		var line struct {
			AWS struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Namespace string
					Metrics   []struct{ Name, Unit string }
				}
			} `json:"_aws"`
			FunctionName string
		}
		if err := json.Unmarshal(b.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, d := range line.AWS.CloudWatchMetrics {
			if len(d.Metrics) > 100 || d.Namespace != "esgen" {
				t.Errorf("%d metrics in one directive of %q", len(d.Metrics), d.Namespace)
			}
			total += len(d.Metrics)
		}
		if total != n || line.FunctionName != `f"1` || line.AWS.Timestamp == 0 || strings.Count(b.String(), "\n") != 1 {
			t.Errorf("%d metrics of %d: %s", total, n, b.String())
		}
	}
}

func TestAHistoryThatIsNearlyFullIsTold(t *testing.T) {
	var log, metrics bytes.Buffer
	o := Options{Logger: newLogger(&log, ""), Metrics: &metrics}
	o.nearFull("o-1", 5.5)
	if !strings.Contains(log.String(), `"entity":"o-1"`) || !strings.Contains(metrics.String(), `"EntityGigabytes":5.5`) {
		t.Errorf("%s, %s", log.String(), metrics.String())
	}
}

func TestHandlersEndBeforeTheirDeadline(t *testing.T) {
	o := Options{}
	o.defaults()
	for left, most := range map[time.Duration]time.Duration{10 * time.Second: 10*time.Second - margin, 100 * time.Millisecond: 50 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(t.Context(), left)
		h := o.guarded(func(ctx context.Context, _ []byte) ([]byte, error) {
			deadline, ok := ctx.Deadline()
			if d := time.Until(deadline); !ok || d > most {
				t.Errorf("of %v it works for %v", left, d)
			}
			return nil, nil
		})
		if _, err := h(ctx, nil); err != nil {
			t.Error(err)
		}
		cancel()
	}
}
