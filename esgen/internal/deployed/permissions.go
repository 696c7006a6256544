package deployed

import (
	"fmt"
	"slices"
	"strings"
)

// Resource is a kind of thing that a stack has.
type Resource string

// Resources that operations work on.
const (
	StackItself     Resource = "the stack"
	EventsTable     Resource = "the table of events"
	EventsIndex     Resource = "its index byEvent"
	ProgressTable   Resource = "the table of progress"
	ViewTables      Resource = "the tables of views"
	GivenUpBucket   Resource = "the bucket of given-up batches"
	GivenUpObjects  Resource = "its objects"
	StackFunctions  Resource = "the functions"
	DeadLetters     Resource = "the queues of dead letters"
	ConsumersQueues Resource = "the queues before these"
)

// Permission is what one who operates a stack must be allowed to do to a kind of resource.
type Permission struct {
	Resource Resource
	Actions  []string // as in policies
}

var (
	toFind = Permission{StackItself, []string{"cloudformation:DescribeStacks"}}
	// What any fold of entities takes.
	toFold = []Permission{
		{EventsTable, []string{"dynamodb:Query"}},
		{ViewTables, []string{"dynamodb:BatchGetItem", "dynamodb:PutItem"}},
		{ProgressTable, []string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}},
	}
	toScan  = Permission{EventsIndex, []string{"dynamodb:Scan"}}
	toCount = Permission{EventsTable, []string{"dynamodb:DescribeTable"}}
)

// Operations are the commands that work on a stack, as they are called.
var Operations = []string{"status", "quarantine list", "quarantine retry", "reconcile", "rebuild", "redrive"}

// Permissions are what an operation takes, nil for one that there is not.
func Permissions(operation string) []Permission {
	switch operation {
	case "status":
		return []Permission{
			toFind, toCount, {EventsTable, []string{"dynamodb:Query"}}, toScan, {ViewTables, []string{"dynamodb:BatchGetItem"}},
			{ProgressTable, []string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}},
			{GivenUpBucket, []string{"s3:ListBucket"}}, {DeadLetters, []string{"sqs:GetQueueAttributes"}},
		}
	case "quarantine list":
		return []Permission{toFind, {ProgressTable, []string{"dynamodb:Query"}}}
	case "quarantine retry":
		return append([]Permission{toFind}, toFold...)
	case "reconcile":
		return append([]Permission{toFind, toScan}, toFold...)
	case "rebuild":
		return append([]Permission{toFind, toCount, toScan, {ProgressTable, []string{"dynamodb:BatchWriteItem", "dynamodb:DeleteItem"}}}, toFold...)
	case "redrive":
		return []Permission{
			toFind, {GivenUpBucket, []string{"s3:ListBucket"}}, {GivenUpObjects, []string{"s3:DeleteObject", "s3:GetObject"}},
			{StackFunctions, []string{"lambda:InvokeFunction"}},
			{DeadLetters, []string{"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:StartMessageMoveTask"}},
			{ConsumersQueues, []string{"sqs:GetQueueUrl", "sqs:SendMessage"}},
		}
	}
	return nil
}

// PermissionsText lists what an operation takes, a line for each kind of resource.
func PermissionsText(operation string) string {
	var order []Resource
	actions := map[Resource][]string{}
	for _, p := range Permissions(operation) {
		if actions[p.Resource] == nil {
			order = append(order, p.Resource)
		}
		actions[p.Resource] = append(actions[p.Resource], p.Actions...)
	}
	var b strings.Builder
	for _, r := range order {
		slices.Sort(actions[r])
		fmt.Fprintf(&b, "  %s: %s\n", r, strings.Join(actions[r], ", "))
	}
	return b.String()
}
