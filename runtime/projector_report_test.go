package es_test

import (
	"testing"
	"time"

	es "github.com/esgen/esgen/runtime"
)

func TestReportTellsOfEachView(t *testing.T) {
	b := newBench(t, "diary", "purses")
	batch := b.happen("a", opened("ann"), added(1))
	now := batch[0].Time.Add(time.Hour)
	batch[1].Time = batch[0].Time.Add(time.Minute)
	b.clock = func() time.Time { return now }
	p := b.projector("d")
	report := b.project(p, batch...)
	if report.Lag != time.Hour || len(report.Views) != 2 {
		t.Fatalf("report %+v", report)
	}
	folds := 0
	for i, v := range report.Views {
		if v.View != b.model.Views[i].Name || v.Folds == 0 || v.Lag != time.Hour {
			t.Errorf("view %+v", v)
		}
		folds += v.Folds
	}
	if folds != report.Folds {
		t.Errorf("%d folds in the views, %d in all", folds, report.Folds)
	}
	// What is delivered again waits no longer for the views.
	for _, v := range b.project(p, batch...).Views {
		if v != (es.ViewReport{View: v.View}) {
			t.Errorf("delivered again: %+v", v)
		}
	}
}
