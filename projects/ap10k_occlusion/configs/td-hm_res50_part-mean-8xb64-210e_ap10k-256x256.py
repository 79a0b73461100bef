"""Animals: ResNet-50 on AP-10K, trained with part cutout 0.5."""

_base_ = (
    'mmpose::animal_2d_keypoint/topdown_heatmap/ap10k/'
    'td-hm_res50_8xb64-210e_ap10k-256x256.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])

# parts by the names that the joints have in AP-10K's metainfo; the tools
# know them, too: --attack part:left_front_leg:black
occlusion_parts = dict(
    head=['L_Eye', 'R_Eye', 'Nose', 'Neck'],
    trunk=['Neck', 'Root of tail', 'L_Shoulder', 'R_Shoulder'],
    left_front_leg=['L_Shoulder', 'L_Elbow', 'L_F_Paw'],
    right_front_leg=['R_Shoulder', 'R_Elbow', 'R_F_Paw'],
    left_back_leg=['L_Hip', 'L_Knee', 'L_B_Paw'],
    right_back_leg=['R_Hip', 'R_Knee', 'R_B_Paw'],
)
hide = dict(type='PartOcclusion', fill='mean', prob=0.5, parts=occlusion_parts)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(-2, hide)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
