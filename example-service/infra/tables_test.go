package main

import (
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
)

// TestTablesAreTheOnesThatAreDeployed holds the logical ids of all tables: CloudFormation knows a
// table by that id, and under another one it would begin an empty table.
func TestTablesAreTheOnesThatAreDeployed(t *testing.T) {
	template := assertions.Template_FromStack(described(t, "dev").Data.Stack, nil)
	got := slices.Sorted(maps.Keys(*template.FindResources(jsii.String("AWS::DynamoDB::GlobalTable"), nil)))
	want := []string{"EventsD32975C2", "Progress46A8DAB4", "Viewcustomersummary1058CC965", "Viewdefault1464C3A13"}
	if !slices.Equal(got, want) {
		t.Errorf("tables are %q, deployed are %q", got, want)
	}
}
