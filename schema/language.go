package schema

// The scalars of the language, in the order of the reference.
var scalarKinds = []struct {
	name string
	kind Kind
	doc  string
}{
	{"string", String, "text"},
	{"int", Int, "a whole number of 64 bits; as in JSON Schema, `2.0` is one"},
	{"float", Float, "a binary floating point number of 64 bits"},
	{"decimal", Decimal, "an exact number: with its exponent written out at most 38 digits, leading zeros not counted, and at most 38 after the point; trailing zeros are kept, `-0` is `0`"},
	{"bool", Bool, "`true` or `false`"},
	{"timestamp", Timestamp, "an instant with its offset, RFC 3339, upper case, up to nine fraction digits, seconds to 59; compared and ordered by instant"},
	{"date", Date, "a calendar day: `2025-01-31`"},
	{"uuid", UUID, "a UUID; either case is read, lower case is kept"},
	{"bytes", Bytes, "bytes, as padded base64"},
	{"json", JSON, "any JSON value, free form; `null` only inside"},
}

func scalarNames() []string {
	names := make([]string, len(scalarKinds))
	for i, s := range scalarKinds {
		names[i] = s.name
	}
	return names
}

const maxCount = 1_000_000_000 // of lengths and numbers of items

// constraintProps are JSON Schema's keywords, with JSON Schema's meaning.
func constraintProps() []prop {
	return []prop{
		{"minimum", false, "The least value (`int`, `float`, `decimal`).", anyNumber()},
		{"maximum", false, "The greatest value (`int`, `float`, `decimal`).", anyNumber()},
		{"exclusiveMinimum", false, "The value is greater than this.", anyNumber()},
		{"exclusiveMaximum", false, "The value is less than this.", anyNumber()},
		{"multipleOf", false, "The value is a multiple of this, computed exactly.", &shape{number: &numberShape{above: intPtr(0)}}},
		{"minLength", false, "The least length: code points of a `string`, decoded bytes of `bytes`.", wholeNumber(0, maxCount)},
		{"maxLength", false, "The greatest length: code points of a `string`, decoded bytes of `bytes`.", wholeNumber(0, maxCount)},
		{"pattern", false, "A regular expression (RE2) that a `string` matches somewhere; anchor it with `^` and `$`.", freeText()},
		{"format", false, "What a `string` holds.", oneOf("email", "uri", "hostname", "ipv4", "ipv6")},
	}
}

// collectionProps constrain lists and maps, which cannot be shared types.
func collectionProps() []prop {
	return []prop{
		{"minItems", false, "The least number of items of a list.", wholeNumber(0, maxCount)},
		{"maxItems", false, "The greatest number of items of a list.", wholeNumber(0, maxCount)},
		{"uniqueItems", false, "No two items of a list are equal.", yesNo()},
		{"minProperties", false, "The least number of members of a map.", wholeNumber(0, maxCount)},
		{"maxProperties", false, "The greatest number of members of a map.", wholeNumber(0, maxCount)},
	}
}

func enumProp() prop {
	return prop{"enum", false, "The values that are allowed (`string`, `int`, `float`, `decimal`).", listOf(&shape{anyJSON: true}, 1, true)}
}

func describedProps() []prop {
	return []prop{
		{"description", false, "What it is, for people; becomes a comment and documentation.", freeText()},
		{"deprecated", false, "`true`, or the reason, when it should no longer be used.", &shape{boolean: true, text: &textShape{min: 1}}},
	}
}

func annotationProps() []prop {
	return append(describedProps(),
		prop{"examples", false, "Values that show what is meant; each must satisfy the constraints.", listOf(&shape{anyJSON: true}, 1, false)},
		prop{"sensitive", false, "Never in logs or error texts.", yesNo()},
	)
}

func typeProp(required bool) prop {
	return prop{"type", required, "A scalar, a name from `types`, `list<T>`, `map<T>`, `T[]` for `list<T>`; with `?` optional.", typeShape()}
}

func typeShape() *shape {
	return &shape{text: &textShape{min: 1, suggest: scalarNames()}}
}

// props joins groups of keys.
func props(groups ...[]prop) []prop {
	var all []prop
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

var fieldShape = &shape{
	name: "field", title: "A field of an event or of a shared type",
	doc:  "A type, or a mapping with the type, constraints, a default and annotations. `total: decimal` is short for `total: {type: decimal}`.",
	text: typeShape().text,
	object: &objectShape{props: props(
		[]prop{
			typeProp(false),
			{"optional", false, "The field may be absent; the same as `?` after the type.", yesNo()},
			{"default", false, "What a field holds that was not sent: a literal, `now` (timestamp, date) or `new` (uuid).", &shape{anyJSON: true}},
			enumProp(),
		},
		constraintProps(), collectionProps(), annotationProps(),
	)},
}

var viewFieldShape = &shape{
	name: "viewField", title: "A field of a view",
	doc:  "A type, or a mapping with the type, a start value and annotations. Constraints guard events, not views.",
	text: typeShape().text,
	object: &objectShape{props: props(
		[]prop{
			typeProp(false),
			{"optional", false, "The field may be absent; the same as `?` after the type.", yesNo()},
			{"default", false, "The start value of a new record: a literal.", &shape{anyJSON: true}},
			{"enum", false, "The values that are allowed.", listOf(&shape{anyJSON: true}, 1, true)},
		},
		annotationProps(),
	)},
}

var namedTypeShape = &shape{
	name: "type", title: "A shared type",
	doc:  "An object (`fields`), an enum, or a scalar with constraints.",
	text: typeShape().text,
	object: &objectShape{props: props(
		[]prop{
			typeProp(false),
			{"fields", false, "The fields of an object.", fieldsShape("field", fieldShape)},
			enumProp(),
		},
		constraintProps(), annotationProps(),
	)},
}

func fieldsShape(what string, field *shape) *shape {
	s := mapOf(what, camelCase, field, 0)
	s.null = true
	return s
}

var eventShape = &shape{
	name: "event", title: "An event",
	doc:  "Something that happened to the entity. May be empty.",
	null: true,
	object: &objectShape{props: props(
		[]prop{
			{"fields", false, "What the event says, beside the entity's key.", fieldsShape("field", fieldShape)},
			{"from", false, "The states in which the event is accepted, or `none` for only as the first event. Default: every state, never first.",
				&shape{text: &textShape{enum: []string{"none"}}, list: &listShape{items: nonEmpty(), min: 1, unique: true}}},
			{"to", false, "The state after the event. Default: unchanged.", nonEmpty()},
			{"revision", false, "The version of the event's own shape, for upcasting. Default: 1.", wholeNumber(1, 1_000_000)},
		},
		describedProps(),
	)},
}

var indexShape = &shape{
	name: "index", title: "An index of a view",
	doc: "Lets the view be read by the value of a field: `GET /{view}?<index>=value`.",
	object: &objectShape{props: []prop{
		{"key", true, "The field that is looked up: string, enum, int, bool, uuid or date.", nonEmpty()},
		{"sort", false, "The field that orders the records found: these, decimal or timestamp.", nonEmpty()},
		{"order", false, "`asc` (default) or `desc`.", oneOf("asc", "desc")},
	}},
}

var viewEventShape = &shape{
	name: "viewEvent", title: "An event of a view with a key of its own",
	doc:  "Where the event has the view's key. `{}`: in the field of the key's own name.",
	null: true,
	object: &objectShape{props: []prop{
		{"key", false, "A path (`standings[].playerId`) or a list of paths.",
			&shape{text: &textShape{min: 1}, list: &listShape{items: nonEmpty(), min: 1, unique: true}}},
	}},
}

var viewShape = &shape{
	name: "view", title: "A view",
	doc: "Records that events are folded into. The view called `default` answers at `/`.",
	object: &objectShape{props: props(
		[]prop{
			{"key", false, "What names a record. Default: the entity's key. With another key many entities may feed one record. It is one item, written in one transaction after " +
				"the other, each with events of up to 99 entities: two write units for each KB of the record and for each entity, and AWS gives one item 1,000 a second.", nameOf(camelCase)},
			{"events", true, "The events that are folded: a list, or a mapping that says where each has the key.",
				&shape{
					list:   &listShape{items: nonEmpty(), min: 1, unique: true},
					object: &objectShape{what: "event", names: pascalCase, values: viewEventShape, min: 1},
				}},
			{"fields", false, "What a record holds beside its key.", fieldsShape("field", viewFieldShape)},
			{"indexes", false, "Ways to read the view by a field.", mapOf("index", kebabKey, indexShape, 0)},
			{"revision", false, "Rises when a deployed view changes; a new revision is a new table. Default: 1.", wholeNumber(1, 1_000_000)},
		},
		describedProps(),
	)},
}

var consumerShape = &shape{
	name: "consumer", title: "A consumer",
	doc: "A function of yours on a stream: of events, or of a view's changes.",
	object: &objectShape{props: props(
		[]prop{
			{"events", false, "The events that it handles.", listOf(nonEmpty(), 1, true)},
			{"view", false, "The view whose changes it handles.", nonEmpty()},
		},
		describedProps(),
	)},
}

var entityShape = &shape{
	name: "entity", title: "The entity",
	doc: "The thing whose history is kept.",
	object: &objectShape{props: []prop{
		{"name", true, "What it is called, kebab-case.", nameOf(kebabCase)},
		{"key", true, "The member that every event carries: its name, or `{name, pattern, minLength, maxLength}`.", &shape{
			name: "entityKey", title: "The entity's key",
			doc:  "A string of 1 to 256 characters.",
			text: nameOf(camelCase).text,
			object: &objectShape{props: []prop{
				{"name", true, "The name of the member.", nameOf(camelCase)},
				{"pattern", false, "A regular expression (RE2) that the key matches somewhere.", freeText()},
				{"minLength", false, "The least length in code points. Default: 1.", wholeNumber(1, 256)},
				{"maxLength", false, "The greatest length in code points. Default: 256.", wholeNumber(1, 256)},
			}},
		}},
		{"states", false, "The states of its lifecycle.", listOf(nameOf(kebabCase), 1, true)},
	}},
}

var apiShape = &shape{
	name: "api", title: "The API",
	doc: "How the service is reached over HTTP.",
	object: &objectShape{props: []prop{
		{"auth", false, "Who may call: `iam` (default), `none`, `custom`, or `{jwt: {issuer, audience}}`.", &shape{
			name: "auth", title: "Authorization with tokens", doc: "Tokens of an issuer.",
			text: &textShape{enum: []string{"iam", "none", "custom"}},
			object: &objectShape{props: []prop{{"jwt", true, "Who issues the tokens, and for whom.", &shape{
				name: "jwt", title: "JSON Web Tokens", doc: "Checked by the gateway.",
				object: &objectShape{props: []prop{
					{"issuer", true, "The issuer's URL.", &shape{text: &textShape{pattern: `^https://[^\s]+$`, wants: "an https URL", code: "bad-value"}}},
					{"audience", true, "The audience, or a list of them.", &shape{text: &textShape{min: 1}, list: &listShape{items: nonEmpty(), min: 1, unique: true}}},
				}},
			}}}},
		}},
		{"gateway", false, "`http` (default), `rest`, or `none`.", oneOf("http", "rest", "none")},
		{"throttle", false, "How many requests are let through.", &shape{
			name: "throttle", title: "Throttling", doc: "Requests per second.",
			object: &objectShape{props: []prop{
				{"rate", true, "Requests per second.", wholeNumber(1, 1_000_000)},
				{"burst", true, "Requests at once.", wholeNumber(1, 1_000_000)},
			}},
		}},
		{"pageSize", false, "The default of `?limit=`. Default: 10.", wholeNumber(1, 100)},
		{"cors", false, "Which web pages may call.", &shape{
			name: "cors", title: "Cross-origin requests", doc: "Pages of other origins that may call the API.",
			object: &objectShape{props: []prop{{"origins", true, "Origins, such as `https://shop.example.com`, or `*`.",
				listOf(&shape{text: &textShape{pattern: `^(\*|https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?)$`, wants: "an origin such as https://shop.example.com, without a path", code: "bad-value"}}, 1, true)}}},
		}},
	}},
}

var pipelineShape = &shape{
	name: "pipeline", title: "The pipeline",
	doc: "The stack that builds and deploys the service.",
	object: &objectShape{props: []prop{
		{"github", true, "The repository that is built.", &shape{
			name: "github", title: "The repository", doc: "A repository on GitHub.",
			object: &objectShape{props: []prop{
				{"owner", true, "The account that owns it.", &shape{text: &textShape{pattern: `^[A-Za-z0-9][A-Za-z0-9-]{0,38}$`, wants: "the name of a GitHub account", code: "bad-value"}}},
				{"repo", true, "Its name.", &shape{text: &textShape{pattern: `^[A-Za-z0-9._-]{1,100}$`, wants: "the name of a GitHub repository", code: "bad-value"}}},
				{"branch", false, "The branch that is deployed. Default: `main`.", &shape{text: &textShape{pattern: `^[^\s~^:?*\[\\]{1,200}$`, wants: "the name of a branch", code: "bad-value"}}},
				{"connection", false, "The ARN of the connection to GitHub; may come later, as context.", &shape{text: &textShape{pattern: `^arn:[^\s]+$`, wants: "an ARN", code: "bad-value"}}},
			}},
		}},
		{"stages", true, "The deployments, in order.", listOf(&shape{
			name: "stage", title: "A stage of the pipeline", doc: "One deployment of the service.",
			object: &objectShape{props: []prop{
				{"name", true, "Its name, part of the stack's.", nameOf(kebabCase)},
				{"approval", false, "Somebody approves before this stage.", yesNo()},
				{"account", false, "The AWS account, twelve digits in quotes.", &shape{text: &textShape{pattern: `^[0-9]{12}$`, wants: "twelve digits", code: "bad-value"}}},
				{"region", false, "The AWS region.", &shape{text: &textShape{pattern: `^[a-z]{2}(-[a-z]+)+-[0-9]+$`, wants: "a region such as eu-central-1", code: "bad-value"}}},
			}},
		}, 1, false)},
	}},
}

var rootShape = &shape{
	name: "service", title: "The file",
	doc: "One file describes one service with one kind of entity.",
	object: &objectShape{props: []prop{
		{"esgen", true, "The version of this language: 1.", &shape{number: &numberShape{integer: true, constant: intPtr(1)}}},
		{"service", true, "The name of the service, kebab-case.", nameOf(kebabCase)},
		{"module", true, "The Go module path of the service.", nonEmpty()},
		{"description", false, "What the service is for.", freeText()},
		{"entity", true, "The thing whose history is kept.", entityShape},
		{"types", false, "Value types shared by events and views.", nullable(mapOf("type", pascalCase, namedTypeShape, 0))},
		{"events", true, "What can happen to the entity.", mapOf("event", pascalCase, eventShape, 1)},
		{"views", true, "What can be read.", mapOf("view", kebabKey, viewShape, 1)},
		{"consumers", false, "Your own functions on a stream.", nullable(mapOf("consumer", kebabKey, consumerShape, 0))},
		{"api", false, "How the service is reached over HTTP.", apiShape},
		{"pipeline", false, "The CI/CD stack.", pipelineShape},
	}},
}

func nullable(s *shape) *shape {
	s.null = true
	return s
}
