// Names for people: two words from an identity's key, a bird and a number from a group's id. They are not unique (32 768
// pairs) and prove nothing: the key's fingerprint does. The lists are part of the wire in spirit: changing them renames everybody.

const adjectives = [
  ...words('able agile airy amber ample apt azure bold bonny brave breezy brief bright brisk bronze calm candid careful cheery chief'),
  ...words('civil clean clear clever cloudy cosy crisp curious dapper daring dawn deft dewy dusky eager early earnest easy even fair'),
  ...words('faithful famed fast fleet fluent fond frank free fresh frosty gentle giddy glad golden good grand green happy hardy hazel'),
  ...words('hearty honest humble ivory jade jaunty jolly jovial keen kind lively loyal lucid lucky lunar mellow merry mild misty modest'),
  ...words('neat nimble noble novel olive open patient placid plucky polite proud prompt pure quick quiet rapid ready rosy royal ruby'),
  ...words('rustic sandy serene sharp shy silent silver slow smart smooth snowy snug sober soft solar spry stable starry steady still'),
  ...words('sunny swift tawny tender tidy vivid warm wise'),
];

const nouns = [
  ...words('albatross alpaca antelope ant auk avocet badger barbet bat bear beaver bee beetle bison bittern blackbird boar bobcat'),
  ...words('bongo bream buck buffalo bulbul bullfinch bunting bushbuck bustard butterfly buzzard camel canary capuchin caracal cardinal'),
  ...words('caribou carp cat catfish chaffinch chameleon cheetah chicken chiffchaff chipmunk chough cicada cockatoo cod colt condor'),
  ...words('coot coral cormorant corncrake cougar cow coyote crab crane cricket crow cub cuckoo curlew dabchick deer dingo dipper dog'),
  ...words('dolphin donkey dormouse dotterel dove dragonfly duck dunlin dunnock eagle eel egret eider eland elephant elk emu ermine'),
  ...words('falcon fawn ferret fieldfare finch firecrest firefly flamingo flicker flounder foal fox frigate frog fulmar gadwall gannet'),
  ...words('gazelle gecko gerbil gibbon giraffe glider gnu goat godwit goldcrest goldfinch goose goral grebe greenfinch grouse guanaco'),
  ...words('guillemot gull guppy haddock halibut hamster hare harrier hawfinch hawk hedgehog heron herring hobby hoopoe hornbill horse'),
  ...words('ibex ibis iguana impala jackdaw jaguar jay junco kestrel kingfisher kite kitten kiwi knot koala kudu lamb lapwing lark'),
  ...words('lemming lemur leopard linnet lion lizard llama lobster loon lory lynx macaw magpie mallard manatee marlin marmot marten'),
  ...words('martin merganser merlin mink minnow mole moorhen moose moth mouse mule mullet mussel narwhal newt nightjar numbat nuthatch'),
  ...words('ocelot octopus okapi oriole oryx osprey ostrich otter owl ox oyster panda parrot partridge pelican penguin perch petrel'),
  ...words('pheasant pigeon pika pike pintail pipit plaice plover pochard pony porpoise ptarmigan puffin puma quail quokka rabbit raccoon'),
  ...words(
    'raven redpoll redstart redwing reindeer robin roller rook ruff sable salmon sandpiper seal shrew siskin snipe sparrow squirrel starling stoat stork swallow swan swift tern tiger wren',
  ),
];

const birds = words(
  'auk avocet bunting coot crane curlew dipper dove dunlin eider egret finch gannet grebe gull heron ibis jay kite knot lark loon merlin owl petrel plover puffin rail robin swift tern wren',
);

function words(list: string): readonly string[] {
  return list.split(' ');
}

/** The number in hex digits [from, from + 4) of `id`; digits that are missing or are none count as 0. */
function numberAt(id: string, from: number): number {
  return Number.parseInt(id.slice(from, from + 4), 16) || 0;
}

/** Two words such as 'quiet-otter' for an identity (64 hex digits). A peer id gives its identity's name: it begins with the same digits. */
export function nameOf(identity: string): string {
  return `${adjectives[numberAt(identity, 0) % adjectives.length]}-${nouns[numberAt(identity, 4) % nouns.length]}`;
}

/** A bird and two digits such as 'tern-07' for a group (32 hex digits). */
export function groupNameOf(group: string): string {
  return `${birds[numberAt(group, 0) % birds.length]}-${String(numberAt(group, 4) % 100).padStart(2, '0')}`;
}

/** For tests: how many words there are of each kind. */
export const nameCounts = { adjectives: new Set(adjectives).size, nouns: new Set(nouns).size, birds: new Set(birds).size };
