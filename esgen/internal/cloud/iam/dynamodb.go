package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// DynamoDB enforces policies in front of DynamoDB and its streams.
type DynamoDB struct{ proxy }

// NewDynamoDB forwards to the endpoint, under the access key whose tables everybody shall see.
func NewDynamoDB(o Options, endpoint, accessKeyID string) (*DynamoDB, error) {
	u, err := newUpstream(endpoint, accessKeyID, failJSON)
	if err != nil {
		return nil, err
	}
	d := &DynamoDB{}
	d.Options, d.forward, d.fail, d.accesses = o, u, failJSON, d.wanted
	return d, nil
}

// failJSON is an error of a service that speaks AWS JSON.
func failJSON(w http.ResponseWriter, status int, code, message string) {
	text, err := json.Marshal(map[string]string{"__type": "com.amazon.coral.service#" + code, "message": message})
	if err != nil {
		panic(err) // two texts
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

// TableARN is the ARN of a table, as policies name it.
func (o Options) TableARN(name string) string {
	if strings.HasPrefix(name, "arn:") {
		return name
	}
	return "arn:aws:dynamodb:" + o.Region + ":" + o.Account + ":table/" + name
}

// members are a JSON object's, by their exact names: encoding/json matches those of structs
// without case, and DynamoDB does not.
type members map[string]json.RawMessage

func (m members) text(name string) (string, error) {
	var s string
	if m[name] == nil {
		return "", nil
	}
	if err := json.Unmarshal(m[name], &s); err != nil {
		return "", errors.New(name + " is no text")
	}
	return s, nil
}

// wanted is what a request to DynamoDB would do.
func (d *DynamoDB) wanted(r *http.Request, body []byte) (string, []Access, error) {
	target, action, ok := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !ok || !strings.HasPrefix(target, "DynamoDB") {
		return "", nil, errors.New("the request names no operation of DynamoDB")
	}
	var m members
	if err := json.Unmarshal(body, &m); err != nil {
		return "", nil, errors.New("the request is no JSON object")
	}
	accesses, err := d.of(action, m)
	return action, accesses, err
}

func (d *DynamoDB) of(action string, m members) ([]Access, error) {
	switch action {
	case "BatchGetItem", "BatchWriteItem":
		return d.batch(action, m)
	case "TransactGetItems", "TransactWriteItems":
		return d.transaction(m)
	case "GetRecords": // its iterator names the stream, and is opaque
		return []Access{{"dynamodb:GetRecords", "*"}}, nil
	case "ListTables", "ListStreams", "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction":
		return []Access{{"dynamodb:" + action, "*"}}, nil
	}
	if stream, err := m.text("StreamArn"); err != nil || stream != "" {
		return []Access{{"dynamodb:" + action, stream}}, err
	}
	a, err := d.onTable("dynamodb:"+action, m)
	return []Access{a}, err
}

// onTable is an action on the table, or the index, that an object names.
func (d *DynamoDB) onTable(action string, m members) (Access, error) {
	table, err := m.text("TableName")
	if err != nil {
		return Access{}, err
	}
	if table == "" {
		return Access{}, errors.New("the request names no table")
	}
	index, err := m.text("IndexName")
	if err != nil {
		return Access{}, err
	}
	arn := d.TableARN(table)
	if index != "" {
		arn += "/index/" + index
	}
	return Access{action, arn}, nil
}

func (d *DynamoDB) batch(action string, m members) ([]Access, error) {
	var tables members
	if err := json.Unmarshal(m["RequestItems"], &tables); err != nil || len(tables) == 0 {
		return nil, errors.New("the request names no table")
	}
	var all []Access
	for table := range tables {
		all = append(all, Access{"dynamodb:" + action, d.TableARN(table)})
	}
	slices.SortFunc(all, func(a, b Access) int { return strings.Compare(a.Resource, b.Resource) })
	return all, nil
}

// inTransactions are the permissions that items of transactions need.
var inTransactions = map[string]string{
	"Get": "dynamodb:GetItem", "Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem", "Delete": "dynamodb:DeleteItem", "ConditionCheck": "dynamodb:ConditionCheckItem",
}

func (d *DynamoDB) transaction(m members) ([]Access, error) {
	var items []members
	if err := json.Unmarshal(m["TransactItems"], &items); err != nil || len(items) == 0 || len(items) > 100 {
		return nil, errors.New("the transaction has no items, or more than 100")
	}
	var all []Access
	for _, item := range items {
		for kind, text := range item {
			if string(text) == "null" {
				continue
			}
			action, ok := inTransactions[kind]
			var of members
			if !ok || json.Unmarshal(text, &of) != nil {
				return nil, fmt.Errorf("an item of the transaction is %s, which is not known here", kind)
			}
			a, err := d.onTable(action, of)
			if err != nil {
				return nil, err
			}
			if !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all, nil
}
