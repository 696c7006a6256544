package mapping

import (
	"strings"
	"testing"
)

func TestFilters(t *testing.T) {
	const event = `{"eventName":"INSERT","dynamodb":{"NewImage":{"_type":{"S":"order-placed"},"n":{"N":"12"},"list":{"L":[{"S":"a"},{"N":"1"}]},"set":{"SS":["x","y"]},"none":{"NULL":true}},"SizeBytes":300},"empty":"","null":null,"gone":[],"word":"MiXed"}`
	for _, tc := range []struct {
		pattern string
		want    bool
	}{
		// exact
		{`{"eventName":["INSERT"]}`, true},
		{`{"eventName":["insert"]}`, false},
		{`{"eventName":["MODIFY","INSERT"]}`, true},
		{`{"eventName":["MODIFY"]}`, false},
		{`{"empty":[""]}`, true},
		{`{"null":[null]}`, true},
		{`{"missing":[null]}`, false},
		{`{"dynamodb":{"SizeBytes":[300]}}`, true},
		{`{"dynamodb":{"SizeBytes":[300.0]}}`, false}, // numbers are compared as they are spelled
		{`{"dynamodb":{"SizeBytes":["300"]}}`, false},
		{`{"dynamodb":{"NewImage":{"_type":{"S":["order-placed"]},"n":{"N":["12"]}}}}`, true},
		{`{"dynamodb":{"NewImage":{"_type":{"S":["order-placed"]},"n":{"N":["13"]}}}}`, false},
		{`{"dynamodb":{"NewImage":{"none":{"NULL":[true]}}}}`, true},
		{`{"dynamodb":["INSERT"]}`, false},
		{`{"eventName":{"S":["INSERT"]}}`, false},
		// lists: one element is enough
		{`{"dynamodb":{"NewImage":{"set":{"SS":["y","z"]}}}}`, true},
		{`{"dynamodb":{"NewImage":{"set":{"SS":["z"]}}}}`, false},
		{`{"dynamodb":{"NewImage":{"list":{"L":{"S":["a"]}}}}}`, true},
		{`{"dynamodb":{"NewImage":{"list":{"L":{"S":["a"],"N":["1"]}}}}}`, false},
		// prefix, suffix, equals-ignore-case
		{`{"eventName":[{"prefix":"INS"}]}`, true},
		{`{"eventName":[{"prefix":"ins"}]}`, false},
		{`{"missing":[{"prefix":""}]}`, false},
		{`{"eventName":[{"suffix":"ERT"}]}`, true},
		{`{"eventName":[{"suffix":"INS"}]}`, false},
		{`{"word":[{"equals-ignore-case":"mixed"}]}`, true},
		{`{"word":[{"equals-ignore-case":"mixe"}]}`, false},
		{`{"dynamodb":{"SizeBytes":[{"prefix":"3"}]}}`, false},
		// anything-but
		{`{"eventName":[{"anything-but":"REMOVE"}]}`, true},
		{`{"eventName":[{"anything-but":["REMOVE","INSERT"]}]}`, false},
		{`{"dynamodb":{"SizeBytes":[{"anything-but":[300]}]}}`, false},
		{`{"dynamodb":{"SizeBytes":[{"anything-but":[301]}]}}`, true},
		{`{"missing":[{"anything-but":"x"}]}`, false},
		// exists looks at leaves
		{`{"eventName":[{"exists":true}]}`, true},
		{`{"eventName":[{"exists":false}]}`, false},
		{`{"missing":[{"exists":false}]}`, true},
		{`{"missing":[{"exists":true}]}`, false},
		{`{"null":[{"exists":true}]}`, true},
		{`{"gone":[{"exists":true}]}`, false},
		{`{"dynamodb":[{"exists":true}]}`, false},
		{`{"dynamodb":{"OldImage":{"n":{"N":[{"exists":false}]}}}}`, true},
		{`{"missing":[{"exists":false},"x"]}`, true},
		// numeric
		{`{"dynamodb":{"SizeBytes":[{"numeric":["=",300.0]}]}}`, true},
		{`{"dynamodb":{"SizeBytes":[{"numeric":[">",0,"<=",300]}]}}`, true},
		{`{"dynamodb":{"SizeBytes":[{"numeric":[">",0,"<",3e2]}]}}`, false},
		{`{"dynamodb":{"SizeBytes":[{"numeric":[">=",301]}]}}`, false},
		{`{"eventName":[{"numeric":[">=",0]}]}`, false},
		// $or
		{`{"eventName":["INSERT"],"$or":[{"word":["x"]},{"empty":[""]}]}`, true},
		{`{"eventName":["MODIFY"],"$or":[{"word":["x"]},{"empty":[""]}]}`, false},
		{`{"$or":[{"word":["x"]},{"empty":["x"]}]}`, false},
		{`{"dynamodb":{"$or":[{"SizeBytes":[1]},{"NewImage":{"n":{"N":["12"]}}}]}}`, true},
	} {
		p, err := parsePattern(tc.pattern)
		if err != nil {
			t.Errorf("%s: %v", tc.pattern, err)
			continue
		}
		if got := matchesText([]pattern{p}, []byte(event)); got != tc.want {
			t.Errorf("%s: %v", tc.pattern, got)
		}
	}
}

func TestFiltersThatAreRefused(t *testing.T) {
	for _, text := range []string{
		``, `x`, `[]`, `null`, `{}`, `{"a":["b"]} {}`, `{"a":"b"}`, `{"a":null}`, `{"a":[]}`, `{"a":{}}`, `{"a":[["b"]]}`,
		`{"a":[{}]}`, `{"a":[{"prefix":"b","suffix":"c"}]}`, `{"a":[{"wildcard":"b*"}]}`, `{"a":[{"cidr":"10.0.0.0/8"}]}`, `{"a":[{"Prefix":"b"}]}`,
		`{"a":[{"prefix":1}]}`, `{"a":[{"prefix":{"equals-ignore-case":"b"}}]}`, `{"a":[{"exists":"true"}]}`,
		`{"a":[{"anything-but":[]}]}`, `{"a":[{"anything-but":{"prefix":"b"}}]}`, `{"a":[{"anything-but":[true]}]}`,
		`{"a":[{"numeric":[]}]}`, `{"a":[{"numeric":["=" ]}]}`, `{"a":[{"numeric":["!=",1]}]}`, `{"a":[{"numeric":["=","1"]}]}`, `{"a":[{"numeric":["=",5e10]}]}`,
		`{"a":[{"numeric":["=",1e999999999]}]}`, `{"a":[{"numeric":[">",1,"<"]}]}`,
		`{"$or":{"a":["b"]}}`, `{"$or":[{"a":["b"]}]}`, `{"$or":["a","b"]}`, `{"$or":[{},{}]}`,
		`{"a":["` + strings.Repeat("x", maxPattern) + `"]}`,
		strings.Repeat(`{"a":`, 50) + `["b"]` + strings.Repeat(`}`, 50),
	} {
		if _, err := parsePattern(text); err == nil {
			t.Errorf("taken: %.60s", text)
		}
	}
}

func TestFiltersThatCanNeverMatchARecord(t *testing.T) {
	for text, ok := range map[string]bool{
		`{"eventName":["INSERT"],"dynamodb":{"NewImage":{"_type":{"S":["a"]}}}}`:        true,
		`{"dynamodb":{"NewImage":{"m":{"M":{"x":{"S":["a"]}}},"l":{"L":{"S":["a"]}}}}}`: true,
		`{"dynamodb":{"SizeBytes":[{"numeric":[">",1]}]}}`:                              true,
		`{"eventname":["INSERT"]}`:                                    false,
		`{"body":{"x":["a"]}}`:                                        false,
		`{"dynamodb":{"newImage":{"_type":{"S":["a"]}}}}`:             false,
		`{"dynamodb":{"NewImage":["a"]}}`:                             false,
		`{"dynamodb":{"NewImage":{"_type":["a"]}}}`:                   false,
		`{"dynamodb":{"NewImage":{"_type":{"s":["a"]}}}}`:             false,
		`{"dynamodb":{"NewImage":{"n":{"N":[{"numeric":[">",1]}]}}}}`: false,
		`{"dynamodb":{"NewImage":{"m":{"M":{"x":["a"]}}}}}`:           false,
		`{"$or":[{"eventName":["INSERT"]},{"eventname":["MODIFY"]}]}`: false,
	} {
		if _, err := streamPatterns([]string{text}); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := streamPatterns(make([]string, 6)); err == nil {
		t.Error("six filters")
	}
}

func FuzzFilter(f *testing.F) {
	f.Add(`{"a":[{"numeric":[">",1]}]}`, `{"a":1e5}`)
	f.Add(`{"$or":[{"a":["b"]},{"c":[{"anything-but":"d"}]}]}`, `{"a":[[{}]]}`)
	f.Fuzz(func(t *testing.T, text, event string) {
		p, err := parsePattern(text)
		if err != nil {
			return
		}
		_ = p.checkRecord()
		matchesText([]pattern{p}, []byte(event))
	})
}

func TestAnswersOfFunctions(t *testing.T) {
	for _, tc := range []struct {
		answer string
		ids    int
		ok     bool
	}{
		{``, 0, true}, {`null`, 0, true}, {` {} `, 0, true}, {`{"batchItemFailures":null}`, 0, true}, {`{"batchItemFailures":[]}`, 0, true},
		{`{"batchItemFailures":[{"itemIdentifier":"1"},{"itemIdentifier":"2","more":1}],"other":1}`, 2, true},
		{`{"BatchItemFailures":[{"itemIdentifier":"1"}]}`, 0, true}, // names are case-sensitive
		{`{"batchItemFailures":[{"itemIdentifier":""}]}`, 0, false},
		{`{"batchItemFailures":[{"itemIdentifier":null}]}`, 0, false},
		{`{"batchItemFailures":[{"itemIdentifier":1}]}`, 0, false},
		{`{"batchItemFailures":[{"ItemIdentifier":"1"}]}`, 0, false},
		{`{"batchItemFailures":[null]}`, 0, false},
		{`{"batchItemFailures":["1"]}`, 0, false},
		{`{"batchItemFailures":{}}`, 0, false},
		{`"ok"`, 0, false}, {`[]`, 0, false}, {`{`, 0, false}, {`true`, 0, false},
	} {
		ids, ok := failedItems([]byte(tc.answer))
		if ok != tc.ok || ok && len(ids) != tc.ids {
			t.Errorf("%s: %v %v", tc.answer, ids, ok)
		}
	}
}
