"""The suite's own tables and the binding's structures, against what the ledger says of the registry."""

import json
from xml.etree import ElementTree

import pytest

from fixtures.vulkan import registry
from fixtures.vulkan.native import load_binding
from fixtures.vulkan.registry import (
    ALIASES,
    ENUMS,
    EXTENSIONS,
    MEMBERS,
    PROTOTYPES,
    STRUCTURE_TYPES,
)
from suites.ledger import rule

ENUMERATIONS = {
    registry.HandleType: ("VkExternalSemaphoreHandleTypeFlagBits", "VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_"),
    registry.FenceHandleType: ("VkExternalFenceHandleTypeFlagBits", "VK_EXTERNAL_FENCE_HANDLE_TYPE_"),
    registry.FeatureFlag: ("VkExternalSemaphoreFeatureFlagBits", "VK_EXTERNAL_SEMAPHORE_FEATURE_"),
    registry.ImportFlag: ("VkSemaphoreImportFlagBits", "VK_SEMAPHORE_IMPORT_"),
    registry.WaitFlag: ("VkSemaphoreWaitFlagBits", "VK_SEMAPHORE_WAIT_"),
    registry.SemaphoreType: ("VkSemaphoreType", "VK_SEMAPHORE_TYPE_"),
}
ENUMERANTS = {
    "VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT": 0x1,
    "VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_WIN32_BIT": 0x2,
    "VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_WIN32_KMT_BIT": 0x4,
    "VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_D3D12_FENCE_BIT": 0x8,
    "VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT": 0x10,
    "VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT": 0x8,
    "VK_EXTERNAL_SEMAPHORE_FEATURE_EXPORTABLE_BIT": 1,
    "VK_EXTERNAL_SEMAPHORE_FEATURE_IMPORTABLE_BIT": 2,
    "VK_SEMAPHORE_IMPORT_TEMPORARY_BIT": 1,
    "VK_SEMAPHORE_TYPE_BINARY": 0,
    "VK_SEMAPHORE_TYPE_TIMELINE": 1,
    "VK_SEMAPHORE_WAIT_ANY_BIT": 1,
}
S_TYPES = [
    ("VkPhysicalDeviceExternalSemaphoreInfo", "PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO", 1000076000),
    ("VkExternalSemaphoreProperties", "EXTERNAL_SEMAPHORE_PROPERTIES", 1000076001),
    ("VkExportSemaphoreCreateInfo", "EXPORT_SEMAPHORE_CREATE_INFO", 1000077000),
    ("VkImportSemaphoreFdInfoKHR", "IMPORT_SEMAPHORE_FD_INFO_KHR", 1000079000),
    ("VkSemaphoreGetFdInfoKHR", "SEMAPHORE_GET_FD_INFO_KHR", 1000079001),
    ("VkPhysicalDeviceIDProperties", "PHYSICAL_DEVICE_ID_PROPERTIES", 1000071004),
    ("VkSemaphoreTypeCreateInfo", "SEMAPHORE_TYPE_CREATE_INFO", 1000207002),
]
HANDLE_TYPE, HANDLE_TYPES = "VkExternalSemaphoreHandleTypeFlagBits", "VkExternalSemaphoreHandleTypeFlags"
STRUCTURES = {
    "VkPhysicalDeviceExternalSemaphoreInfo": [("handleType", HANDLE_TYPE)],
    "VkExternalSemaphoreProperties": [
        ("exportFromImportedHandleTypes", HANDLE_TYPES),
        ("compatibleHandleTypes", HANDLE_TYPES),
        ("externalSemaphoreFeatures", "VkExternalSemaphoreFeatureFlags"),
    ],
    "VkExportSemaphoreCreateInfo": [("handleTypes", HANDLE_TYPES)],
    "VkImportSemaphoreFdInfoKHR": [
        ("semaphore", "VkSemaphore"),
        ("flags", "VkSemaphoreImportFlags"),
        ("handleType", HANDLE_TYPE),
        ("fd", "int"),
    ],
    "VkSemaphoreGetFdInfoKHR": [("semaphore", "VkSemaphore"), ("handleType", HANDLE_TYPE)],
    "VkPhysicalDeviceIDProperties": [
        ("deviceUUID", "uint8_t[VK_UUID_SIZE]"),
        ("driverUUID", "uint8_t[VK_UUID_SIZE]"),
        ("deviceLUID", "uint8_t[VK_LUID_SIZE]"),
        ("deviceNodeMask", "uint32_t"),
        ("deviceLUIDValid", "VkBool32"),
    ],
}
PASSED_ON = [
    "VkBindSparseInfo",
    "VkSemaphoreCreateInfo",
    "VkSemaphoreSignalInfo",
    "VkSemaphoreSubmitInfo",
    "VkSemaphoreTypeCreateInfo",
    "VkSemaphoreWaitInfo",
    "VkSubmitInfo",
    "VkSubmitInfo2",
    "VkTimelineSemaphoreSubmitInfo",
]
VARIANTS = """<registry>
<types>
<type api="vulkan" category="define">#define <name>VK_HEADER_VERSION</name> 9</type>
<type api="vulkan" category="define"
>#define <name>VK_HEADER_VERSION_COMPLETE</name> <type>VK_MAKE_API_VERSION</type>(0, 1, 5, VK_HEADER_VERSION)</type>
<type api="vulkansc" category="define">#define <name>VK_HEADER_VERSION</name> 22</type>
</types>
<commands>
<command api="vulkan" successcodes="VK_SUCCESS"><proto><type>VkResult</type> <name>vkWork</name></proto></command>
<command api="vulkansc" successcodes="VK_TIMEOUT"><proto><type>VkResult</type> <name>vkWork</name></proto></command>
<command successcodes="VK_SUCCESS"><proto><type>VkResult</type> <name>vkFault</name></proto></command>
</commands>
<feature api="vulkan"><require><command name="vkWork"/></require></feature>
<feature api="vulkansc"><require><command name="vkFault"/></require></feature>
</registry>"""


@pytest.fixture(scope="module")
def binding():
    """The `vulkan` module."""
    return load_binding()


@pytest.fixture(scope="module")
def c_type(binding):
    """A type of the registry as the binding has it; cffi keeps no const."""

    def look_up(text):
        for name, value in registry.CONSTANTS.items():
            text = text.replace(name, str(value))
        return binding.ffi.typeof(text)

    return look_up


@rule("SPEC-REGISTRY-01")
def test_the_capabilities_extension_is_an_instance_extension_of_vulkan_1_1():
    """VK_KHR_external_semaphore_capabilities is instance extension 77, version 1, promoted to Vulkan 1.1."""
    extension = EXTENSIONS["VK_KHR_external_semaphore_capabilities"]

    facts = {key: extension[key] for key in ("number", "type", "spec_version", "depends", "promotedto")}

    assert facts == {
        "number": "77",
        "type": "instance",
        "spec_version": 1,
        "depends": "VK_KHR_get_physical_device_properties2,VK_VERSION_1_1",
        "promotedto": "VK_VERSION_1_1",
    }, f"registry.json says {facts}"


@rule("SPEC-REGISTRY-02")
def test_the_base_extension_is_a_device_extension_of_vulkan_1_1():
    """VK_KHR_external_semaphore is device extension 78, version 1, promoted to Vulkan 1.1."""
    extension = EXTENSIONS["VK_KHR_external_semaphore"]

    facts = {key: extension[key] for key in ("number", "type", "spec_version", "depends", "promotedto")}

    assert facts == {
        "number": "78",
        "type": "device",
        "spec_version": 1,
        "depends": "VK_KHR_external_semaphore_capabilities",
        "promotedto": "VK_VERSION_1_1",
    }, f"registry.json says {facts}"


@rule("SPEC-REGISTRY-03")
def test_the_descriptor_extension_was_never_promoted():
    """VK_KHR_external_semaphore_fd is device extension 80, version 1, ratified, also for Vulkan SC, and in no core."""
    extension = EXTENSIONS["VK_KHR_external_semaphore_fd"]

    facts = {key: value for key, value in extension.items() if key != "names"}

    assert facts == {
        "number": "80",
        "type": "device",
        "spec_version": 1,
        "depends": "VK_KHR_external_semaphore,VK_VERSION_1_1",
        "promotedto": "",
        "supported": "vulkan,vulkansc",
        "ratified": "vulkan,vulkansc",
    }, f"registry.json says {facts}"


@rule("SPEC-REGISTRY-04")
@pytest.mark.parametrize("ours", ENUMERATIONS, ids=lambda ours: ours.__name__)
def test_our_enumeration_is_the_registrys(ours):
    """The members of an enumeration of ours have the registry's short names and values."""
    enumeration, prefix = ENUMERATIONS[ours]

    members = {member.name: member.value for member in ours}

    expected = {name.removeprefix(prefix).replace("_BIT", ""): value for name, value in ENUMS[enumeration].items()}
    assert members == expected, f"{ours.__name__} has {members}, the registry {expected}"


@rule("SPEC-REGISTRY-04")
@pytest.mark.parametrize("name", ENUMERANTS)
def test_enumerant_has_the_ledgers_value(binding, name):
    """A bit or type has the same value in the ledger, in our table and in the binding."""
    value = ENUMERANTS[name]

    ours = [enumeration[name] for enumeration in ENUMS.values() if name in enumeration]

    assert ours == [value], f"{name} is {ours} in registry.json"
    assert getattr(binding.lib, name) == value, f"{name} is {getattr(binding.lib, name)} in the binding's C enumeration"
    assert getattr(binding, name) == value, f"{name} is {getattr(binding, name)} in the binding"


@rule("SPEC-REGISTRY-04")
def test_the_d3d11_fence_is_the_d3d12_fence():
    """The Direct3D 11 handle type is another name of the Direct3D 12 one."""
    alias = "VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_D3D11_FENCE_BIT"

    target = ALIASES.get(alias)

    assert target == "VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_D3D12_FENCE_BIT", f"{alias} stands for {target}"
    assert registry.HandleType.D3D11_FENCE is registry.HandleType.D3D12_FENCE


@rule("SPEC-REGISTRY-05")
@pytest.mark.parametrize(("structure", "constant", "value"), S_TYPES, ids=[row[0] for row in S_TYPES])
def test_structure_type_has_the_ledgers_value(binding, structure, constant, value):
    """A structure's sType is the same in the ledger, in our table and in the binding, by its KHR name too."""
    structures = {structure, structure.removesuffix("KHR") + "KHR"}
    constants = {f"VK_STRUCTURE_TYPE_{constant}", f"VK_STRUCTURE_TYPE_{constant.removesuffix('_KHR')}_KHR"}

    ours = {name: STRUCTURE_TYPES.get(name) for name in structures}
    theirs = {name: getattr(binding.lib, name) for name in constants}

    assert set(ours.values()) == {value}, f"registry.json has {ours}, the ledger {value}"
    assert set(theirs.values()) == {value}, f"the binding has {theirs}, the ledger {value}"


@rule("SPEC-REGISTRY-06")
@pytest.mark.parametrize("structure", STRUCTURES)
def test_structure_has_the_ledgers_members(structure):
    """Our table has the structure's members in order: the descriptor signed, one handle type or several as stated."""
    head = ["sType", "pNext"]

    members = [(name, kind) for name, kind in MEMBERS[structure]]

    assert [name for name, _ in members[:2]] == head, f"{structure} begins with {members[:2]}"
    assert members[2:] == STRUCTURES[structure], f"{structure} has the members {members[2:]}"


@rule("SPEC-REGISTRY-06")
@pytest.mark.parametrize("structure", [*STRUCTURES, *PASSED_ON])
def test_binding_lays_a_structure_out_as_the_registry_does(binding, c_type, structure):
    """The binding's structure has the registry's members, types and order, at the offsets that C gives them."""
    expected, end = [], 0
    for name, text in MEMBERS[structure]:
        kind = c_type(text)
        offset = -(-end // binding.ffi.alignof(kind)) * binding.ffi.alignof(kind)
        expected.append((name, kind, offset))
        end = offset + binding.ffi.sizeof(kind)

    fields = [(name, field.type, field.offset) for name, field in binding.ffi.typeof(structure).fields]

    assert fields == expected, f"the binding has {structure} as {fields}, the registry as {expected}"


@rule("SPEC-REGISTRY-07")
@pytest.mark.parametrize(("constant", "size"), [("VK_UUID_SIZE", 16), ("VK_LUID_SIZE", 8)])
def test_identifier_has_the_ledgers_size(binding, constant, size):
    """A UUID has 16 bytes and a LUID 8, in our table and in the binding."""
    ours, theirs = registry.CONSTANTS[constant], getattr(binding, constant)

    assert (ours, theirs) == (size, size), f"{constant} is {ours} in registry.json, {theirs} in the binding"


@rule("SPEC-REGISTRY-12")
@pytest.mark.parametrize("extension", ["VK_KHR_external_semaphore_capabilities", "VK_KHR_external_semaphore"])
def test_promoted_names_are_aliases_of_core_names(extension):
    """All that a promoted extension brings is another name of something in Vulkan 1.1."""
    names = EXTENSIONS[extension]["names"]

    targets = {name: ALIASES.get(name) for name in names}

    expected = {name: name.removesuffix("KHR").removesuffix("_") for name in names}
    assert names
    assert targets == expected, f"{extension} brings {targets}"


@rule("SPEC-REGISTRY-12")
def test_descriptor_names_are_in_no_core():
    """Nothing that VK_KHR_external_semaphore_fd brings has a core name."""
    names = EXTENSIONS["VK_KHR_external_semaphore_fd"]["names"]

    aliases = {name: ALIASES[name] for name in names if name in ALIASES}

    assert "vkGetSemaphoreFdKHR" in names
    assert not aliases, f"the registry has core names for {aliases}"


@rule("SPEC-REGISTRY-12")
@pytest.mark.parametrize("extension", ["VK_KHR_external_semaphore_capabilities", "VK_KHR_external_semaphore"])
def test_binding_gives_an_alias_the_type_of_its_core_name(binding, extension):
    """The binding's KHR types and function types are those of the core names."""
    spelled = {"Vk": "", "vk": "PFN_"}
    names = [name for name in EXTENSIONS[extension]["names"] if name[:2] in spelled]

    types = {
        name: [binding.ffi.typeof(spelled[name[:2]] + spelling) for spelling in (name, ALIASES[name])] for name in names
    }

    different = {name: pair for name, pair in types.items() if pair[0] != pair[1]}
    assert names
    assert not different, f"the binding has other types for {different}"


@rule("SPEC-REGISTRY-13")
def test_semaphore_creation_has_no_flags(binding):
    """No bit of VkSemaphoreCreateFlags is defined, so that any but 0 is wrong."""
    bits = ENUMS["VkSemaphoreCreateFlagBits"]

    names = [name for names in binding.ffi.list_types() for name in names]

    assert not bits, f"a newer registry defines {bits}: rule -03263 wants tests now"
    assert "VkSemaphoreCreateFlagBits" not in names, "the binding knows bits of VkSemaphoreCreateFlags"


@rule("SPEC-REGISTRY-14")
def test_descriptor_commands_have_the_ledgers_signature():
    """Both commands take the device and an info, the export a place for the descriptor too."""
    export, import_ = PROTOTYPES["vkGetSemaphoreFdKHR"], PROTOTYPES["vkImportSemaphoreFdKHR"]

    assert export == ["VkResult", "VkDevice", "const VkSemaphoreGetFdInfoKHR*", "int*"], f"registry.json: {export}"
    assert import_ == ["VkResult", "VkDevice", "const VkImportSemaphoreFdInfoKHR*"], f"registry.json: {import_}"


@rule("SPEC-REGISTRY-14")
@pytest.mark.parametrize("command", [command for command in PROTOTYPES if not command.endswith("FUCHSIA")])
def test_binding_has_the_registrys_function_type(binding, c_type, command):
    """The binding calls a command with the registry's types."""
    expected = [c_type(text) for text in PROTOTYPES[command]]

    function = binding.ffi.typeof(f"PFN_{command}")

    types = [function.result, *function.args]
    assert types == expected, f"the binding has {command} as {types}, the registry as {expected}"


def test_no_alias_stands_for_an_alias():
    """One look-up leads from any alias to the name that the facts are kept under."""
    chained = {name: target for name, target in ALIASES.items() if target in ALIASES}

    assert not chained, f"aliases of aliases: {chained}"


def test_refreshing_leaves_vulkan_sc_out():
    """Of facts that differ for Vulkan and Vulkan SC, registry.json gets those of Vulkan."""
    root = ElementTree.fromstring(VARIANTS)

    facts = json.loads(registry.generate(root))

    assert facts["registry"] == {"version": "1.5.9"}, f"version {facts['registry']}"
    assert facts["commands"] == {"vkWork": "SUCCESS"}, f"commands {facts['commands']}"
