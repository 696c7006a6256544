package schema

// Service is a checked schema: everything that generators need, with every
// name resolved and every default written out. Slices keep the file's order.
type Service struct {
	Name        string // kebab-case
	Module      string // Go module path
	Description string
	Entity      Entity
	Types       []*NamedType
	Events      []*Event
	Views       []*View
	Consumers   []*Consumer
	API         API
	Pipeline    *Pipeline // nil when the schema asks for none
}

// Entity is the thing whose history is kept.
type Entity struct {
	Name      string // kebab-case
	Key       string // the member that every event carries
	Pattern   string // RE2, unanchored; "" for none
	MinLength int    // code points, at least 1
	MaxLength int    // code points, at most 256
	States    []string
}

// NamedType is an entry of "types:": an object, an enum or a constrained scalar.
type NamedType struct {
	Name        string
	Type        *Type // Kind Object, Enum or a scalar; Type.Named is nil here
	Description string
	Deprecated  Deprecation
	Examples    []string // JSON texts
}

// Kind says what a value is.
type Kind int

// The kinds of the language. Enum is a string that has its values listed,
// whether it is named or written in place.
const (
	String Kind = iota + 1
	Int
	Float
	Decimal
	Bool
	Timestamp
	Date
	UUID
	Bytes
	JSON
	Enum
	Object
	List
	Map
)

// Type is the type of a value with the constraints that guard it.
type Type struct {
	Kind Kind
	// Named is the entry of "types:" by which the type was written, else nil.
	// Kind, Fields, Values and the constraints are then copies of that entry's,
	// merged with what stands beside the use.
	Named  *NamedType
	Elem   *Type    // of a List or Map
	Fields []*Field // of an Object
	Values []string // of an Enum, in order
	Constraints
}

// Constraints are JSON Schema's own keywords; nil and "" mean that one is absent.
// Numbers are kept as exact decimal text.
type Constraints struct {
	Minimum, Maximum                   string
	ExclusiveMinimum, ExclusiveMaximum string
	MultipleOf                         string
	MinLength, MaxLength               *int // code points; of Bytes, decoded bytes
	Pattern                            string
	Format                             string // email, uri, hostname, ipv4, ipv6
	MinItems, MaxItems                 *int
	UniqueItems                        bool
	MinProperties, MaxProperties       *int
	Enum                               []string // of a scalar that is not Kind Enum: the values as canonical JSON
}

// Field is a member of an event, of a shared object type or of a view.
type Field struct {
	Name        string // camelCase
	Type        *Type
	Optional    bool
	Default     *Default
	Description string
	Deprecated  Deprecation
	Sensitive   bool
	Examples    []string // JSON texts
}

// Default is what a field holds that was not sent.
type Default struct {
	Now     bool   // the time of the request; of a Date, its day in UTC
	New     bool   // a new UUID, version 7
	Literal string // canonical JSON, when neither Now nor New
}

// Deprecation says that something should no longer be used. The schema writes
// "deprecated: true" or "deprecated: <reason>".
type Deprecation struct {
	Set    bool
	Reason string
}

// Event is a type of event.
type Event struct {
	Name        string // PascalCase
	Description string
	Deprecated  Deprecation
	Revision    int // from 1
	Fields      []*Field
	// Lifecycle; meaningful when the entity has states.
	FromNone bool     // only as the first event
	From     []string // the states that allow it; nil: every state, never first (unless FromNone)
	To       string   // "" leaves the state as it is
}

// View is a projected view.
type View struct {
	Name        string // kebab-case
	Description string
	Deprecated  Deprecation
	Revision    int // from 1
	// KeyedByEntity: one record per entity. Otherwise Key is the name of the
	// record's key member and KeyType its type.
	KeyedByEntity bool
	Key           string
	KeyType       *Type
	Events        []*ViewEvent
	Fields        []*Field
	Indexes       []*Index
}

// ViewEvent is one event that a view folds.
type ViewEvent struct {
	Event *Event
	// Keys says where the event names the view's records; nil in a view keyed by
	// the entity. One fold per distinct value over all paths.
	Keys []Path
}

// Path leads from an event to a value, through objects and lists.
type Path struct {
	Text  string // as written: "standings[].playerId"
	Steps []Step
}

// Step goes from a value into one member.
type Step struct {
	Field *Field
	Each  bool // the member is a list: go on with each element
}

// Index lets a view be read by a field's value, in order of another's.
type Index struct {
	Name string
	Key  *Field
	Sort *Field // nil when the schema names none
	Desc bool
}

// Consumer is a Lambda of the user's on a stream.
type Consumer struct {
	Name        string // kebab-case
	Description string
	Deprecated  Deprecation
	Events      []*Event // of an events consumer
	View        *View    // of a view consumer, else nil
}

// Auth says who may call the API.
type Auth string

// The kinds of authorization.
const (
	AuthIAM    Auth = "iam"
	AuthNone   Auth = "none"
	AuthCustom Auth = "custom"
	AuthJWT    Auth = "jwt"
)

// Gateway says what stands before the functions.
type Gateway string

// The kinds of gateway.
const (
	GatewayHTTP Gateway = "http"
	GatewayREST Gateway = "rest"
	GatewayNone Gateway = "none"
)

// API is how the service is reached over HTTP.
type API struct {
	Auth     Auth
	JWT      *JWT // with AuthJWT
	Gateway  Gateway
	Throttle *Throttle
	PageSize int // 1 to 100, 10 unless said
	CORS     *CORS
}

// JWT names who issues tokens and for whom.
type JWT struct {
	Issuer   string
	Audience []string
}

// Throttle bounds requests: Rate per second, Burst at once.
type Throttle struct {
	Rate, Burst int
}

// CORS lists the origins whose pages may call the API.
type CORS struct {
	Origins []string
}

// Pipeline is the CI/CD stack.
type Pipeline struct {
	Owner, Repo, Branch string
	Connection          string // ARN; "" when it comes later, as context
	Stages              []Stage
}

// Stage is one deployment of the service.
type Stage struct {
	Name            string
	Approval        bool
	Account, Region string
}
