package lambda

import (
	"io"
	"strconv"
	"time"

	es "github.com/esgen/esgen/runtime"
)

// metrics is one line in CloudWatch's embedded metric format: a line of log of which CloudWatch
// makes metrics. They have one dimension, the name of the function, which tells services and
// stages apart.
type metrics struct {
	now      time.Time
	function string
	defined  []byte // the definitions, with a comma before each
	n        int    // of them
	values   []byte // the members, likewise
}

const (
	milliseconds = "Milliseconds"
	counted      = "Count"
	// maxDefined is how many metrics one directive may define.
	maxDefined = 100
)

func (o *Options) newMetrics() *metrics { return &metrics{now: time.Now(), function: o.Function} }

// add adds a metric with its value.
func (m *metrics) add(name, unit string, value float64) {
	if m.n > 0 && m.n%maxDefined == 0 {
		m.defined = append(m.defined, `]},{"Namespace":"esgen","Dimensions":[["FunctionName"]],"Metrics":[`...)
	} else if m.n > 0 {
		m.defined = append(m.defined, ',')
	}
	m.n++
	m.defined = append(m.defined, `{"Name":`...)
	m.defined = es.AppendString(m.defined, name)
	m.defined = append(m.defined, `,"Unit":"`+unit+`"}`...)
	m.member(name, value)
}

// count adds a metric of what seldom happens: one that is always 0 costs as much as any other.
func (m *metrics) count(name string, n int) {
	if n > 0 {
		m.add(name, counted, float64(n))
	}
}

// duration adds a metric in milliseconds.
func (m *metrics) duration(name string, d time.Duration) {
	m.add(name, milliseconds, float64(max(0, d).Milliseconds()))
}

func (m *metrics) member(name string, value float64) {
	m.values = append(m.values, ',')
	m.values = es.AppendString(m.values, name)
	m.values = append(m.values, ':')
	m.values = strconv.AppendFloat(m.values, value, 'f', -1, 64)
}

// nearFull says that the history of an entity will not grow for ever.
func (o *Options) nearFull(entityID string, gigabytes float64) {
	o.Logger.Warn("the history of an entity approaches the 10 GB that it may have", "entity", entityID, "gigabytes", gigabytes)
	m := o.newMetrics()
	m.add("EntityGigabytes", counted, gigabytes)
	m.write(o.Metrics)
}

// write writes the line at once, so that no other stands within it.
func (m *metrics) write(w io.Writer) {
	line := make([]byte, 0, 256+len(m.defined)+len(m.values))
	line = append(line, `{"_aws":{"Timestamp":`...)
	line = strconv.AppendInt(line, m.now.UnixMilli(), 10)
	line = append(line, `,"CloudWatchMetrics":[{"Namespace":"esgen","Dimensions":[["FunctionName"]],"Metrics":[`...)
	line = append(line, m.defined...)
	line = append(line, `]}]},"FunctionName":`...)
	line = es.AppendString(line, m.function)
	line = append(line, m.values...)
	_, _ = w.Write(append(line, '}', '\n'))
}
