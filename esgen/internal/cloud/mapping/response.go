package mapping

import (
	"bytes"
	"encoding/json"
)

// failedItems reads what a function with ReportBatchItemFailures answered: the identifiers of what
// failed. It is not ok if the whole batch counts as failed: the answer is no JSON object, or an
// identifier is missing or empty. Nothing, null, no list and an empty one are success.
func failedItems(response []byte) (ids []string, ok bool) {
	response = bytes.TrimSpace(response)
	if len(response) == 0 || bytes.Equal(response, []byte("null")) {
		return nil, true
	}
	// Members are looked up in maps: names in Lambda's answers are case-sensitive, struct fields are not.
	var answer map[string]json.RawMessage
	if json.Unmarshal(response, &answer) != nil {
		return nil, false
	}
	list, ok := answer["batchItemFailures"]
	if !ok {
		return nil, true
	}
	var items []map[string]json.RawMessage
	if json.Unmarshal(list, &items) != nil {
		return nil, false
	}
	for _, item := range items {
		var id string
		if text, ok := item["itemIdentifier"]; !ok || json.Unmarshal(text, &id) != nil || id == "" {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}
